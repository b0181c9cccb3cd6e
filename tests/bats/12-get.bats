# ajob get: any URLs, lists of them, names and digests; what servers may answer.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# fails_at_once URL CAUSE [COUNT]: no file, and no more requests than that
fails_at_once() {
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get "$1"
    assert_failure 1
    assert_stderr --partial "ajob: get: ${1%%\?*}: $2"$'\n'
    assert_tree .
    assert_requests "${3:-1}"
}

@test "URLs to files, named by the last part of their paths" {
    start_server
    run_ajob get -d in/there "$MAIN/f/a.tgz?size=200K&seed=1" "$MAIN/f/deep/b%20c%C3%A9?size=10&seed=2#frag" "$MAIN/f/dir/"
    assert_success
    refute_output
    assert_tree in/there a.tgz $'b c\xc3\xa9' index.html
    assert_body in/there/a.tgz 1 200K
    assert_body in/there/$'b c\xc3\xa9' 2 10
    assert_stderr --regexp $'(^|\n)downloaded a.tgz  200.0 KiB  [0-9.]+m?s\n'
    refute_stderr --partial verified
    assert_stderr --partial '3 downloaded'
    assert_equal "$(requests_where 'headers.get("accept-encoding", "identity") != "identity"')" ""
}

@test "-o names the file, in --dir if that is given" {
    start_server
    run_ajob get -o x/y/z "$MAIN/f/a?size=10"
    assert_success
    run_ajob get -d x -o w "$MAIN/f/a?size=10"
    assert_success
    run_ajob get -d x -o "$PWD/v" "$MAIN/f/a?size=10"
    assert_success
    run_ajob get -o -rf "$MAIN/f/a?size=10" # a person may choose such a name
    assert_success
    assert_tree . -rf v x/w x/y/z
}

@test "a list: names, digests, comments, empty lines, CRLF, a BOM, stdin" {
    start_server
    printf '\xEF\xBB\xBF# comment\r\n\r\n%s\r\n  %s\tnamed\r\n%s\tsummed\tsha256:%s\n%s\t\t%s' \
        "$MAIN/f/one?size=1&seed=1" "$MAIN/f/two?size=2&seed=2" "$MAIN/f/three?size=3&seed=3" "$(body_sha256 3 3)" \
        "$MAIN/f/four?size=4&seed=4" "$(body 4 4 | md5sum | cut -c1-32)" >list
    run_ajob get -i list -d out "$MAIN/f/five?size=5&seed=5"
    assert_success
    assert_tree out five four named one summed
    assert_body out/named 2 2
    assert_body out/summed 3 3
    assert_stderr --regexp 'downloaded summed .*  sha256 ok'
    assert_stderr --regexp 'downloaded four .*  md5 ok'
    run_ajob get -i - -d stdin <list
    assert_success
    assert_tree stdin four named one summed
}

@test "--sha256 accepts the right body only" {
    start_server
    run_ajob get --sha256 "$(body_sha256 1 300K)" "$MAIN/f/a?size=300K&seed=1"
    assert_success
    assert_stderr --regexp 'a .*sha256 ok'
    run_ajob get --sha256="$(body_sha256 2 300K | tr a-f A-F)" -o b "$MAIN/f/a?size=300K&seed=1"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/a: sha256 mismatch: expected $(body_sha256 2 300K), got $(body_sha256 1 300K)"
    assert_requests 2
    assert_tree . a
}

@test "the same URL twice is one download; two URLs for one name are refused" {
    start_server
    run_ajob get "$MAIN/f/a?size=10" "$MAIN/f/a?size=10"
    assert_success
    assert_requests 1
    run_ajob get "$MAIN/f/a?size=10&x" "$MAIN/f/a?size=10&y"
    assert_failure 2
    assert_stderr --partial 'is to be written to a, as is'
    run_ajob get "$MAIN/f/%61?size=10&x" "$MAIN/f/a?size=10&y" "$MAIN/f/%2Fb?x" "$MAIN/f/_b?y" # by other spellings, too
    assert_failure 2
    assert_stderr --partial 'is to be written to '
    assert_requests 1
}

@test "up to date by size and Last-Modified, without the body; replaced otherwise" {
    start_server
    local url="$MAIN/f/a?size=300K&seed=1"
    run_ajob get "$url"
    run_ajob get --events events "$url"
    assert_success
    assert_stderr --partial 'up to date a'
    assert_equal "$(events events up_to_date task bytes)" $'a\t307200'
    touch -d 2001-01-01 a
    run_ajob get "$url"
    assert_success
    assert_stderr --partial 'downloaded a'
    truncate -s 100K a && touch -d 'Wed, 01 Jan 2025 00:00:00 GMT' a
    run_ajob get "$url"
    assert_stderr --partial 'downloaded a'
    assert_body a 1 300K
    # With a digest that decides, and no request is needed.
    touch -d 2001-01-01 a
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get --sha256 "$(body_sha256 1 300K)" "$url"
    assert_success
    assert_stderr --partial 'up to date a'
    assert_requests 0
    # Same size and time, but not the digest: replaced.
    head -c 307200 /dev/zero >a && touch -d 'Wed, 01 Jan 2025 00:00:00 GMT' a
    run_ajob get --sha256 "$(body_sha256 1 300K)" "$url"
    assert_success
    assert_body a 1 300K
}

@test "without Last-Modified nothing is taken for up to date" {
    start_server
    run_ajob get "$MAIN/f/a?size=10&seed=1&lm=none"
    assert_equal "$(($(date +%s) - $(stat -c %Y a) < 100))" 1
    run_ajob get "$MAIN/f/a?size=10&seed=1&lm=none"
    assert_success
    assert_stderr --partial 'downloaded a'
}

@test "0 bytes, no length, chunked" {
    start_server
    run_ajob get "$MAIN/f/empty?size=0" "$MAIN/f/close?size=100K&length=none&seed=1" "$MAIN/f/chunks?size=100K&chunked=1&seed=2" \
        "$MAIN/f/nothing?size=0&chunked=1" "$MAIN/f/void?size=0&length=none"
    assert_success
    assert_tree . chunks close empty nothing void
    assert_body close 1 100K
    assert_body chunks 2 100K
    assert_equal "$(stat -c %s empty nothing void | sort -u)" 0
}

@test "a gzip body that nobody asked for: kept as sent, not resumed, not decoded" {
    start_server
    run_ajob get "$MAIN/f/a?size=100K&seed=1&gzip=1"
    assert_success
    gzip -dc <a >plain
    assert_body plain 1 100K
    run_ajob get --sha256 "$(body_sha256 1 100K)" -o b "$MAIN/f/a?size=100K&seed=1&gzip=1"
    assert_failure 1
    assert_tree . a plain
}

@test "redirects are followed, ten of them; a loop is a failure" {
    start_server
    run_ajob get "$MAIN/f/a?redirect=10&size=5&seed=3" "$MAIN/f/b?redirect=storage&size=6&seed=4" \
        "$MAIN/f/c?redirect=storage&redirect_status=308&size=7" "$MAIN/f/d?redirect=3&redirect_status=303&size=8"
    assert_success
    assert_tree . a b c d # the name is that of the URL that was asked for
    assert_body a 3 5
    assert_requests 2 '^storage'
    rm a b c d
    fails_at_once "$MAIN/f/a?redirect=11&size=5" 'more than 10 redirects' 11
    fails_at_once "$MAIN/f/a?redirect=loop" 'more than 10 redirects' 11
    fails_at_once "$MAIN/f/a?redirect=ftp://127.0.0.1/x" 'redirected to what is no http or https URL'
    fails_at_once "$MAIN/f/a?redirect=file:///etc/passwd" 'redirected to what is no http or https URL'
    fails_at_once "$MAIN/f/a?status=302&body=elsewhere" 'HTTP 302 (Found): elsewhere' # to nowhere
    fails_at_once "$MAIN/f/a?status=304" 'HTTP 304 (Not Modified)'
}

@test "statuses that another try will not mend" {
    start_server
    fails_at_once "$MAIN/f/a?status=404&body=%3Ctitle%3E%20No%20%0A%20page%3C/title%3E&type=text/html" \
        'HTTP 404 (Not Found): No page'
    fails_at_once "$MAIN/f/a?status=403&body=%7B%22message%22:%22ask%20nicely%22%7D&type=application/json" \
        'HTTP 403 (Forbidden): ask nicely'
    fails_at_once "$MAIN/f/a?status=401&size=1M" 'HTTP 401 (Unauthorized)'
    fails_at_once "$MAIN/f/a?status=501" 'HTTP 501 (Not Implemented)'
    fails_at_once "$MAIN/f/a?status=416" 'HTTP 416 (Range Not Satisfiable): the file has changed'
}

@test "a body that only repeats the status is not shown" {
    start_server
    fails_at_once "$MAIN/f/a?status=404" 'HTTP 404 (Not Found)'
    fails_at_once "$MAIN/f/a?status=404&body=404%20not%20found%0D%0A" 'HTTP 404 (Not Found)'
    fails_at_once "$MAIN/f/a?status=403&body=%3Ctitle%3E403%20Forbidden%3C/title%3E&type=text/html" 'HTTP 403 (Forbidden)'
    # Anything else is.
    fails_at_once "$MAIN/f/a?status=404&body=404%20Not%20Found%20here" 'HTTP 404 (Not Found): 404 Not Found here'
    fails_at_once "$MAIN/f/a?status=404&body=403%20Forbidden" 'HTTP 404 (Not Found): 403 Forbidden'
}

@test "a status that has no body, or half of one, is no file" {
    start_server
    fails_at_once "$MAIN/f/a?status=204&body=" 'HTTP 204 (No Content)'
    fails_at_once "$MAIN/f/a?status=205&body=" 'HTTP 205 (Reset Content)'
    run_ajob get -r 0 "$MAIN/f/a?status=206&body=half" # nobody asked for a range
    assert_failure 1
    assert_tree .
    assert_stderr --partial "ajob: get: $MAIN/f/a: the server sent another range than asked for"
}

@test "headers are sent, and a bare User-Agent of ours" {
    start_server
    run_ajob get -H 'X-One: 1' --header='X-Two:two words' -H 'Accept: text/x' "$MAIN/f/a?size=1"
    assert_success
    assert_equal "$(requests '/f/a' headers.x-one headers.x-two headers.accept headers.user-agent)" \
        $'1\ttwo words\ttext/x\tajob/'"$("$AJOB" --version | sed -n 's/^ajob //p')"
}

@test "early hints are not the answer" {
    start_server
    run_ajob get "$MAIN/f/a?size=300K&seed=1&early=1&close_at=200K&times=1" --retry-delay 1ms
    assert_success
    assert_body a 1 300K
    curl -sSI "$MAIN/f/a?size=300K&seed=1" -o head # not the ETag of the hints
    assert_equal "$(requests ' 206 ' headers.if-range)" "$(sed -n 's/^ETag: \(.*\)\r$/\1/p' head)"
}

@test "a proxy is used if the environment names one" {
    start_server
    http_proxy=$MAIN run_ajob get "http://files.invalid/f/a?size=10"
    assert_success
    assert_equal "$(requests . headers.host)" files.invalid
    http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1 run_ajob get -d direct "$MAIN/f/a?size=10"
    assert_success
}

@test "-n says what would go where, and asks nothing" {
    start_server
    run_ajob get -n -d out "$MAIN/f/%2e%2e?size=10" "$MAIN/f/b?x=1"
    assert_success
    assert_output "would download $MAIN/f/%2e%2e to out/_.
would download $MAIN/f/b to out/b"
    assert_requests 0
    assert_tree .
}

@test "a list line and --mirror name other places of the same file" {
    printf '%s\n' $'http://a/x http://b/y  https://c/z \tnamed\tsha256:'"$(printf '0%.0s' {1..64})" 'http://a/w' \
        $'http://a/v http://b/v\t\t'"$(printf '1%.0s' {1..32})" >list
    run_ajob get -n -i list
    assert_success
    assert_output 'would download http://a/x or http://b/y or https://c/z to named
would download http://a/w to w
would download http://a/v or http://b/v to v'
    run_ajob get -n -d d --mirror http://b/x?1 --mirror http://c/ http://a/x
    assert_success
    assert_output 'would download http://a/x or http://b/x or http://c/ to d/x'
    run_ajob get -n --mirror http://c/ -i - <<<'http://a/x'
    assert_output 'would download http://a/x or http://c/ to x'
    # Which line, and which of its URLs.
    run_ajob get -n -i - <<<$'\nhttp://a/x ftp://b/x'
    assert_failure 2
    assert_stderr 'ajob: get: standard input:2: ftp://b/x: only http:// and https:// are spoken'
    run_ajob get -n --mirror http://c/ -i - <<<'http://a/x http://b/x'
    assert_failure 2
    assert_stderr 'ajob: get: --mirror: http://c/: the list names mirrors, too: add this one to them'
    run_ajob get --require-digest -i list
    assert_failure 2
    assert_stderr 'ajob: get: --require-digest: list:2: there is no digest: use --sha256, or a list with digests'
    # The same line twice is one download; with other mirrors it is another.
    printf 'http://a/x http://b/x\nhttp://a/x http://b/x\n' >list
    run_ajob get -n -i list
    assert_output 'would download http://a/x or http://b/x to x'
    echo 'http://a/x' >>list
    run_ajob get -n -i list
    assert_failure 2
    assert_stderr --partial 'list:3: is to be written to x, as is list:2'
    rm list
}

@test "--insecure says so, however quiet" {
    run_ajob get -q -n --insecure http://a/x
    assert_success
    assert_stderr --partial 'ajob: get: --insecure: certificates are not checked'
    assert_equal "$(wc -l <"$AJOB_ERR")" 1
}
