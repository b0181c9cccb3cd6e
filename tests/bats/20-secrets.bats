# A token goes to the API's host and to nobody else; headers go to the server that
# was named. Neither is ever written down.

load ../helpers

setup() { common_setup; }
teardown() {
    if [[ -n ${SECRET-} ]]; then
        none_left "the secret on disk" grep -rlF "$SECRET" "$WORK" "$AJOB_OUT" "$AJOB_ERR" "$TMPDIR" "$HOME"
    fi
    common_teardown
}

SECRET=t0kEn-1234567890

PRIVATE='{"token": "t0kEn-1234567890", "repos": {"o/r": {"private": true, "releases": [{"tag": "v1", "assets": [
    {"name": "a", "size": "600K", "seed": 1, "query": "reset_at=400K&times=1"}, {"name": "b", "size": 10, "direct": true},
    {"name": "c", "size": 10, "query": "status=403&body=no"}]}]}}}'

# who_got HEADER: the listeners that saw it, and how often
who_got() { requests_where "'$1' in headers" listener | sort | uniq -c | tr -s ' '; }

@test "the token goes to the API, never to the storage it redirects to" {
    start_server "$PRIVATE"
    GH_TOKEN=$SECRET run_ajob download -v --retry-delay 1ms --events events o/r
    assert_failure 1
    assert_tree . events v1/a v1/b
    assert_equal "$(who_got authorization)" ' 5 main'
    assert_equal "$(requests_where 'listener == "main" and headers.get("authorization") != "Bearer '$SECRET'"')" ""
    assert_requests 3 '^storage'
}

@test "it is in no event, no line, no note, no command line" {
    start_server "$PRIVATE"
    expect_part
    printf '%s\n' "$SECRET" >"$BATS_TEST_TMPDIR/token"
    local large=${PRIVATE/600K/4M} # enough for a note while it comes
    set_fixture "${large/reset_at=400K&times=1/"latch=go&latch_at=2M"}"
    start_ajob download -v --events events --token-file "$BATS_TEST_TMPDIR/token" o/r
    wait_for_request '^storage .*held$'
    wait_until 60 test -s v1/a.part.json
    assert_equal "$(tr '\0' '\n' <"/proc/$AJOB_PID/cmdline" | grep -cF "$SECRET")" 0
    assert_equal "$(grep -rlF "$SECRET" .)" ""
    # Nor is the signature of the URL it leads to.
    assert_equal "$(grep -rlE 'Signature|X-Amz' . "$AJOB_ERR")" ""
    open_latch go
    wait_ajob
    assert_failure 1
    assert_body v1/a 1 4M
}

@test "a wrong token is not shown" {
    start_server '{"token": "other", "repos": {"o/r": {}}}'
    GH_TOKEN=$SECRET run_ajob download -vv o/r
    assert_failure 1
    assert_stderr --partial 'HTTP 401 (Unauthorized): Bad credentials: '
}

@test "an API that redirects to another host does not give the token away" {
    start_server '{"errors": {"*": {"redirect": "storage"}}, "repos": {"o/r": {}}}'
    GH_TOKEN=$SECRET run_ajob download -r 0 o/r v1
    assert_failure 1
    assert_equal "$(who_got authorization)" ' 1 main'
    assert_requests 1 '^storage'
}

@test "the token of the environment is for one host: a URL of another one does not get it" {
    start_server --tls "$PRIVATE"
    local url
    for url in "$MAIN/o/r" "${MAIN/127.0.0.1/localhost}/o/r"; do
        GH_HOST=${MAIN#http://} GH_TOKEN=$SECRET GITHUB_API_URL=https://${MAIN#http://} run_ajob download -r 0 "$url"
        assert_failure 1
        assert_stderr --partial 'not found, or private: GH_TOKEN is for another host, set GH_HOST or use --token-file'
    done
    GH_TOKEN=$SECRET GITHUB_API_URL=$MAIN run_ajob download --cacert "$CA" -r 0 "$TLS/o/r"
    assert_failure 1
    assert_requests 6
    assert_equal "$(who_got authorization)" ''
    GH_HOST=${TLS#https://} GH_TOKEN=$SECRET GITHUB_API_URL=$MAIN run_ajob download --cacert "$CA" --list "$TLS/o/r"
    assert_success
    assert_equal "$(who_got authorization)" ' 1 tls'
    GH_TOKEN=$SECRET GITHUB_API_URL=$MAIN run_ajob download --list "$MAIN/o/r"
    assert_success
    printf '%s\n' "$SECRET" >"$BATS_TEST_TMPDIR/token"
    GITHUB_API_URL=http://127.0.0.1:1 run_ajob download --token-file "$BATS_TEST_TMPDIR/token" --list "$MAIN/o/r"
    assert_success
    assert_equal "$(who_got authorization)" $' 2 main\n 1 tls'
}

@test "the token does not go to the URL that an asset names" {
    start_server '{}'
    set_fixture "{\"token\": \"$SECRET\", \"repos\": {\"o/r\": {\"releases\": [{\"tag\": \"v1\", \"assets\": [
        {\"name\": \"a\", \"size\": 10, \"json\": {\"url\": \"$STORAGE/f/a?size=10\", \"browser_download_url\": \"$STORAGE/f/a?size=10\"}}]}]}}}"
    GH_TOKEN=$SECRET run_ajob download o/r
    assert_success
    assert_equal "$(requests_where '"authorization" in headers and listener != "main"')" ""
    assert_requests 0 '^storage GET /f/a'
}

@test "headers of the user go to the server that was named, and no further" {
    start_server
    run_ajob get -H "X-Secret: $SECRET" -H "Authorization: Basic $SECRET" -H "Cookie: $SECRET" \
        "$MAIN/f/a?redirect=storage&size=300K&reset_at=200K&times=1" "$MAIN/f/b?redirect=2&size=10" --retry-delay 1ms
    assert_success
    for header in x-secret authorization cookie; do
        assert_equal "$(who_got $header)" "$(printf ' %d main' "$(count_requests ^main)")"
    done
    assert_requests 0 "^storage .*400"
    # Back again is not home.
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get -H "X-Secret: $SECRET" "$MAIN/f/c?size=5&redirect=$STORAGE/f/c?redirect=$MAIN/f/c?size=5"
    assert_success
    assert_equal "$(requests_where '"x-secret" in headers' target | wc -l)" 1
}

@test "from https to http nothing goes at all" {
    start_server --tls
    run_ajob get --cacert "$CA" "$TLS/f/a?redirect=tls2http&size=5"
    assert_failure 1
    assert_stderr --partial "ajob: get: $TLS/f/a: redirected from https to http: refused"
    assert_requests 0 '^main'
    assert_tree .
    run_ajob get --cacert "$CA" "$MAIN/f/b?redirect=tls&size=5" # the other way is fine
    assert_success
}

@test "user and password in a URL: sent, not shown, not kept" {
    start_server
    expect_part
    local url="http://user:$SECRET@${MAIN#http://}/f/a?size=600K&sig=$SECRET&reset_at=400K&times=1"
    run_ajob get -v -r 0 --events events "$url"
    assert_failure 1
    assert_tree . a.part a.part.json events
    assert_stderr --partial "ajob: get: $MAIN/f/a: "
    assert_equal "$(events events 'event == "task.ended"' url)" "$MAIN/f/a"
    assert_equal "$(requests . headers.authorization)" "Basic $(printf 'user:%s' "$SECRET" | base64)"
    assert_equal "$(stat -c %a a.part.json)" 600
    assert_equal "$(grep -rlF "$SECRET" .)" ""
    run_ajob get "$url"
    assert_success
    assert_requests 1 ' 206 '
    run_ajob get "http://user:$SECRET@127.0.0.1:1/x" -r 0
    assert_failure 1
    assert_stderr --partial 'ajob: get: http://127.0.0.1:1/x: Connection refused'
}

@test "no secret is taken from places nobody named" {
    start_server
    expect_stray
    printf 'machine 127.0.0.1 login me password %s\n' "$SECRET" >"$HOME/.netrc"
    printf 'header = "X-Rc: %s"\n' "$SECRET" >"$HOME/.curlrc"
    GH_TOKEN=$SECRET run_ajob get "$MAIN/f/a?size=5"
    assert_success
    assert_equal "$(requests_where '"authorization" in headers or "x-rc" in headers')" ""
    rm "$HOME/.netrc" "$HOME/.curlrc"
}

@test "a login in a URL goes to its origin, by any redirect within it, and is gone once it left" {
    start_server
    local url="http://user:$SECRET@${MAIN#http://}" basic
    basic="Basic $(printf 'user:%s' "$SECRET" | base64)"
    run_ajob get "$url/f/a?redirect=$MAIN/f/b&size=5" "$url/f/c?redirect=/f/d&size=5" \
        "$url/f/e?redirect=$STORAGE/f/e?redirect=$MAIN/f/e?size=5"
    assert_success
    assert_equal "$(requests_where "headers.get('authorization') == '$basic'" path | sort | tr '\n' ' ')" "/f/a /f/b /f/c /f/d /f/e "
    assert_equal "$(requests_where '"authorization" in headers and listener != "main"')" ""
    # The user's own header is the one that counts.
    run_ajob get -H 'Authorization: Bearer mine' "$url/f/g?size=5"
    assert_success
    assert_equal "$(requests_where 'path == "/f/g"' headers.authorization)" 'Bearer mine'
    # What a redirect brings is not sent.
    run_ajob get "$MAIN/f/h?redirect=http://other:$SECRET@${STORAGE#http://}/f/h?size=5" \
        "$MAIN/f/i?redirect=http://other:$SECRET@${MAIN#http://}/f/i?size=5"
    assert_success
    assert_equal "$(requests_where 'path in ("/f/h", "/f/i") and "authorization" in headers')" ""
}

@test "a server that sends back what it was sent: masked, whole or cut, in any form" {
    start_server
    local base64 pad
    base64=$(printf 'user:%s' "$SECRET" | base64)
    printf -v pad '%0190d' 0 # messages are cut at 200
    local url="http://user:$SECRET@${MAIN#http://}"
    run_ajob get -v -r 0 --events events -H "X-Key: $SECRET" -H "Cookie: id=1; session=$SECRET" \
        "$MAIN/f/a?status=403&body=you%20sent%20$SECRET" "$MAIN/f/b?status=403&body=$pad$SECRET" \
        "$MAIN/f/c?status=403&type=application/json&body=%7B%22message%22:%22no%20$SECRET%22%7D" \
        "$MAIN/f/d?status=403&body=%3Ctitle%3E$SECRET%3C/title%3E" "$url/f/e?status=401&body=no%20Basic%20$base64" \
        "$url/f/f?status=401&body=no%20$base64%20for%20$SECRET" "$MAIN/f/g?redirect=ftp://$SECRET/"
    assert_failure 1
    assert_stderr --partial '/f/a: HTTP 403 (Forbidden): you sent ***'
    assert_stderr --partial '/f/c: HTTP 403 (Forbidden): no ***'
    assert_stderr --partial '/f/e: HTTP 401 (Unauthorized): no ***'
    assert_equal "$(grep -cF -e "$SECRET" -e "$base64" -e "${SECRET:0:8}" events "$AJOB_ERR" | cut -d : -f 2)" $'0\n0'
    GH_TOKEN=$SECRET GITHUB_API_URL="$MAIN/f/api?status=500&body=$SECRET" run_ajob download -r 0 o/r
    assert_failure
    refute_stderr --partial "$SECRET"
}

@test "a line end in a header, in a URL or in its login is refused, and not repeated" {
    start_server
    local header
    for header in $'X: a\r\nX-Evil: 1' $'X: a\nX-Evil: 1' $'X\r\n: a' 'no colon' ': a' 'a b: c' $'X-Evil \t: 1' "$SECRET"; do
        run_ajob get -H "$header" "$MAIN/f/a?size=5"
        assert_failure 2
        assert_stderr 'ajob: get: --header: not a header (not shown): use one line "Name: value"'
    done
    run_ajob get "$MAIN/f/a"$'\r\nX-Evil: 1'
    assert_failure 2
    run_ajob get "http://u%0d%0aX-Evil:1:$SECRET@${MAIN#http://}/f/a"
    assert_failure 2
    assert_stderr --partial 'a control character in its user or password'
    # A validator that is none does not go back to the server.
    run_ajob get --retry-delay 1ms "$MAIN/f/b?size=300K&seed=1&reset_at=200K&times=1&etag=%22a%0dX-Evil:1%22"
    assert_success
    assert_body b 1 300K
    assert_equal "$(requests_where '"x-evil" in headers or "vil" in headers.get("if-range", "")')" ""
    assert_requests 0 /f/a
}

@test "a host that is not the one it seems to be gets nothing" {
    start_server
    local target origin=${MAIN#http://}
    for target in "http://$origin@${STORAGE#http://}" \
        "http://127.0.0.1:99@${STORAGE#http://}" "HTTP://${STORAGE#http://}"; do
        : >"$SERVER_STATE/requests.jsonl"
        run_ajob get -H "X-Secret: $SECRET" "$MAIN/f/a?redirect=$target/f/b?size=5"
        assert_success
        assert_equal "$(requests . listener headers.x-secret)" $'main\t'"$SECRET"$'\nstorage\t'
        rm a
    done
    run_ajob get -H "X-Secret: $SECRET" "http://${STORAGE#http://}\\@$origin/f/a"
    assert_failure 2
    assert_stderr --partial 'a backslash in its host'
}

@test "what a proxy needs to know is in no message" {
    start_server
    local proxy
    for proxy in "http://me:$SECRET@127.0.0.1:1" "http://me:$SECRET@nowhere.invalid:1" "odd://me:$SECRET@127.0.0.1:1" "http://me:$SECRET@[::1"; do
        http_proxy=$proxy run_ajob get -v -r 0 --events events "$MAIN/f/a?size=5"
        assert_failure 1
        assert_equal "$proxy $(grep -cF "$SECRET" events "$AJOB_ERR" | cut -d : -f 2)" "$proxy "$'0\n0'
    done
    assert_requests 0
    # And it is asked: the server stands in for one.
    http_proxy=http://me:$SECRET@${STORAGE#http://} run_ajob get -r 0 "$MAIN/f/a?size=5"
    assert_requests 1 '^storage'
    assert_equal "$(requests . headers.proxy-authorization)" "Basic $(printf 'me:%s' "$SECRET" | base64)"
    rm -f a
}

@test "a login or a query in a URL is shown by no mistake, and by no --dry-run" {
    local url
    for url in "http://u:$SECRET@h/x y" "ftp://u:$SECRET@h/x" "http://u:$SECRET@[" "http://u:$SECRET@h:99999/x" "http://u:$SECRET@h\\@g/x" \
        "http://$SECRET@h/x y" "u:$SECRET@h/x" "http://h/x?sig=$SECRET y" "ftp://h/x?$SECRET" "http://h:99999/?$SECRET" \
        "http://h:99999/x#$SECRET" "h/x?$SECRET"; do
        run_ajob get "$url"
        assert_failure 2
        refute_stderr --partial "$SECRET"
        run_ajob get -i <(echo "$url")
        assert_failure 2
        refute_stderr --partial "$SECRET"
        run_ajob get "http://u:$SECRET@h/a" --mirror "$url"
        assert_failure 2
        refute_stderr --partial "$SECRET"
    done
    run_ajob get "http://h/x?sig=a $SECRET"
    assert_failure 2
    refute_stderr --partial "$SECRET"
    run_ajob get "http://u: $SECRET@h/x"
    assert_failure 2
    refute_stderr --partial "$SECRET"
    run_ajob get --dry-run "http://u:$SECRET@h/x?sig=1" --mirror "http://u:$SECRET@g/x"
    assert_success
    assert_output 'would download http://h/x or http://g/x to x'
    run_ajob get "http://u:$SECRET@h/x" "http://v:$SECRET@h/x"
    assert_failure 2
    refute_stderr --partial "$SECRET"
    run_ajob get "http://h/x?$SECRET" "http://h/x?a"
    assert_failure 2
    assert_stderr 'ajob: get: http://h/x: is to be written to x, as is http://h/x: name one of them with --input-file'
    run_ajob each -n --get ::: "http://u:$SECRET@h/x?$SECRET"
    assert_output 'would download http://h/x to x'
    run_ajob download "http://u:$SECRET@h/o/r?$SECRET $SECRET"
    assert_failure 2
    refute_stderr --partial "$SECRET"
    printf '{"tasks": {"a": {"get": "http://u:%s@h:99999/x?sig=%s y"}}}' "$SECRET" "$SECRET" >"$BATS_TEST_TMPDIR/spec"
    run_ajob check "$BATS_TEST_TMPDIR/spec"
    assert_failure 2
    assert_stderr --partial 'http://******************@h:99999/x***'
    refute_stderr --partial "$SECRET"
    rm "$BATS_TEST_TMPDIR/spec"
}

@test "each --get: no secret of a URL is in events, in results or on the screen; what has one is not retried" {
    local item="http://u:$SECRET@127.0.0.1:1/x?sig=$SECRET http://$SECRET@127.0.0.1:1/y#$SECRET"
    run_ajob each --get -v -r 0 --events events --results results ::: "$item"$'\tname' http://127.0.0.1:1/z
    assert_failure 1
    assert_stderr --partial 'ajob: each: 1: http://127.0.0.1:1/x http://127.0.0.1:1/y'
    assert_equal "$(grep -cF "$SECRET" events "$AJOB_ERR" | cut -d : -f 2)" $'0\n0'
    assert_equal "$(events events 'event == "task.ended"' item | sort)" \
        "$(printf '%s\n' $'http://***@127.0.0.1:1/x?*** http://***@127.0.0.1:1/y?***\tname' http://127.0.0.1:1/z | sort)"
    run_ajob each --get -r 0 --retry-failed events
    assert_failure 1
    assert_stderr --partial 'http://127.0.0.1:1/y: its URL has a secret, which no events have: use --resume, with the input'
    assert_stderr --partial ': http://127.0.0.1:1/z: Connection refused'
}
