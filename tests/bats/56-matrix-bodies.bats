# The matrix of answers and bodies: heads, lengths, framings and statuses that lie, end
# early, never end or come at the wrong time. A file is whole, or there is none.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# each PARAMETERS...: as URLs of f101, f102… in `urls`, with those that are `common`
each() {
    local parameters
    urls=()
    for parameters in "$@"; do urls+=("$MAIN/f/f$((${#urls[@]} + 101))?size=300K&seed=1&$parameters${common+&$common}"); done
}

# none_is_a_file PARAMETERS...: each of them fails, leaves no file, and has a line of its own
none_is_a_file() {
    each "$@"
    run_ajob get -r 0 --stall-timeout 2s -d out "${urls[@]}"
    assert_failure 1
    assert_equal "$(tree out | grep -v '\.part')" ''
    rm -rf out
    assert_stderr --partial "$# failed"
    assert_equal "$(grep -c "^ajob: get: $MAIN/f/f1" <<<"$stderr")" $#
}

# all_are_right PARAMETERS...: each of them is the body 1 of 300 KiB
all_are_right() {
    each "$@"
    run_ajob get -r 0 -d out "${urls[@]}"
    assert_success
    assert_equal "$(tree out | wc -l)" $#
    assert_equal "$(sha256sum out/* | cut -d ' ' -f 1 | sort -u)" "$(body_sha256 1 300K)"
    rm -rf out
}

# mended PARAMETERS...: what happens once does no harm
mended() {
    local common=times=1
    each "$@"
    run_ajob get --retry-delay 1ms --stall-timeout 1s -d out "${urls[@]}"
    assert_success
    assert_equal "$(tree out | wc -l)" $#
    assert_equal "$(sha256sum out/* | cut -d ' ' -f 1 | sort -u)" "$(body_sha256 1 300K)"
    rm -rf out
}

@test "a connection that ends before the status is said: no file, and tried again" {
    start_server
    none_is_a_file cut_head=0 cut_head=1 cut_head=8 cut_head=15 empty=1 empty=reset garbage=1
    refute_stderr --partial 'downloaded'
    echo precious >f101
    run_ajob get -r 0 "$MAIN/f/f101?size=300K&cut_head=15"
    assert_failure 1
    assert_equal "$(<f101)" precious
    assert_tree . f101
    rm f101
    mended cut_head=0 cut_head=15
}

@test "a connection that ends inside the headers, the length being said: no file, and tried again" {
    start_server
    none_is_a_file cut_head=100 cut_head=130 cut_head=150
    mended cut_head=100 cut_head=150
}

@test "lengths that are no numbers are a failure" {
    start_server
    none_is_a_file length=-5 header=Content-Length:abc header=Content-Length:-1 header=Content-Length:%20
    assert_equal "$(requests . headers.range | sort -u)" ''
    all_are_right header=Content-Length:307200 header=content-length:%09307200%20 # said twice is said
}

@test "a length that never comes: what came is kept, and is not the file" {
    start_server
    none_is_a_file length=9223372036854775807 length=307201 length=8000G
}

@test "chunks count, whatever length is said beside them; trailers are no headers" {
    start_server
    all_are_right 'chunked=1&header=Content-Length:5' 'chunked=1&header=Content-Length:999999999' chunked=1 \
        'chunked=1&trailer=Content-Length:5' 'chunked=1&trailer=Content-Range:bytes%200-4/5' \
        'chunked=1&trailer=Location:/f/x' 'chunked=1&trailer=Content-Encoding:gzip&trailer=X:y'
    none_is_a_file chunked=bad 'chunked=1&close_at=200K' 'chunked=1&reset_at=200K' header=Transfer-Encoding:chunked \
        header=Transfer-Encoding:gzip
    # A trailer's validator is not that of the file.
    run_ajob get -r 0 "$MAIN/f/t?size=300K&seed=1&chunked=1&trailer=ETag:%22t%22&trailer=Last-Modified:Thu,%2002%20Jan%202025%2000:00:00%20GMT"
    assert_success
    assert_equal "$(date -ur t +%F)" 2025-01-01
}

@test "early hints, ever so many, are not the answer; headers without end are a failure" {
    start_server
    all_are_right early=1 early=500
    none_is_a_file early=9000
    assert_stderr --partial "the server's headers are longer than 300 KiB"
    run_ajob get -r 0 "$MAIN/f/large?size=100M&early=9000"
    assert_failure 1
    (($(requests '/f/large' sent) < 50000000)) # it was left, whatever was on its way
    none_is_a_file status=100 status=101
}

@test "a head of a byte at a time is a stall" {
    start_server
    run_ajob get -r 0 --stall-timeout 500ms "$MAIN/f/a?size=10&slow_head=1" # for minutes
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/a: stalled: no data for 500ms"
    assert_tree .
    mended slow_head=10 stall_at=0 stall_at=307199
    all_are_right slow_head=20K
}

@test "where the end is not told, a digest or a size tells" {
    start_server --tls
    local end url
    for url in "$MAIN" "$TLS"; do
        for end in close_at=200K 'close_at=200K&notify=1' 'close_at=200K&http10=1'; do
            run_ajob get --cacert "$CA" -r 0 --sha256 "$(body_sha256 1 300K)" "$url/f/a?size=300K&seed=1&length=none&$end"
            assert_failure 1
            assert_stderr --regexp 'sha256 mismatch|unexpected eof|the body ended early'
            refute_exists a
            rm -f a.part a.part.json
        done
        run_ajob get --cacert "$CA" -r 0 --sha256 "$(body_sha256 1 300K)" "$url/f/a?size=300K&seed=1&length=none&http10=1"
        assert_success
        assert_body a 1 300K
        rm a
    done
    all_are_right length=none 'length=none&http10=1' http10=1 'http10=1&notify=1'
}

@test "an asset whose end is not told has the size that the API says, or is no file" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [
        {"name": "short", "size": "300K", "seed": 1, "digest": null, "query": "length=none&close_at=200K&times=1"},
        {"name": "html", "size": "300K", "seed": 1, "digest": null, "query": "html=1"},
        {"name": "json", "size": "300K", "seed": 1, "digest": null, "query": "status=200&body=%7B%7D&type=application/json"},
        {"name": "nothing", "size": "300K", "digest": null, "query": "status=200&body="},
        {"name": "endless", "size": "100M", "seed": 1, "digest": null, "json": {"size": 100000}, "query": "length=none"}]}]}}}'
    run_ajob download -r 0 o/r
    assert_failure 1
    assert_tree . v1/short.part v1/short.part.json # the endless one is another file
    assert_stderr --partial 'v1/short: the body ended early: 204800 of 307200 bytes'
    assert_stderr --partial 'v1/html: the server has 65 bytes, expected 307200'
    assert_stderr --partial 'v1/json: the server has 2 bytes, expected 307200'
    assert_stderr --partial 'v1/nothing: the server has 0 bytes, expected 307200'
    assert_stderr --partial 'v1/endless: the body is longer than the 100000 bytes expected'
    (($(requests . sent | sort -n | tail -n 1) < 20000000)) # the endless one was left
    run_ajob download -r 0 -p short o/r
    assert_success
    assert_body v1/short 1 300K
    assert_tree . v1/short
}

@test "statuses that say nothing of the file are no file" {
    start_server
    each status=201 status=202 status=204 status=205 status=206 status=226 status=299 status=300 status=304 status=305 \
        status=399 status=400 status=416 status=418 status=451 status=600 status=999 status=1000 status=42
    run_ajob get -r 0 "${urls[@]}"
    assert_failure 1
    assert_tree .
    assert_stderr --partial '19 failed'
}

@test "a password that a server asks for is not looked for" {
    start_server
    local scheme
    each 'status=401&header=WWW-Authenticate:Basic%20realm=x' 'status=401&header=WWW-Authenticate:Digest%20realm=x,nonce=y,qop=auth' \
        'status=401&header=WWW-Authenticate:Negotiate' 'status=401&header=WWW-Authenticate:NTLM' \
        'status=407&header=Proxy-Authenticate:Basic%20realm=x'
    run_ajob get "${urls[@]}" </dev/null
    assert_failure 1
    assert_requests 5
    assert_equal "$(requests_where '"authorization" in headers or "proxy-authorization" in headers')" ''
    assert_stderr --partial "f101: HTTP 401 (Unauthorized)"
    assert_stderr --partial 'f105: HTTP 407 (Proxy Authentication Required)'
}

@test "cookies, and other wishes of a server, are not followed" {
    start_server
    run_ajob get --retry-delay 1ms -j 1 "$MAIN/f/a?size=300K&seed=1&header=Set-Cookie:id=1;path=/&header=Refresh:0;url=$MAIN/f/x&reset_at=200K&times=1" \
        "$MAIN/f/b?size=5&redirect=storage&header=Set-Cookie:id=2;path=/&header=Alt-Svc:h2=%22127.0.0.1:1%22;%20persist=1" \
        "$MAIN/f/c?size=5&header=Strict-Transport-Security:max-age=99999&header=Clear-Site-Data:*&header=Link:%3C/f/y%3E;%20rel=preload" "$MAIN/f/d?size=5"
    assert_success
    assert_tree . a b c d
    assert_body a 1 300K
    assert_equal "$(requests_where '"cookie" in headers or "referer" in headers or "host" not in headers')" ''
    assert_requests 6
}

@test "a connection that ends between two files does no harm" {
    start_server
    local how list
    for how in 1 next; do
        list=$(for i in {1..12}; do echo "$MAIN/f/$i?size=1K&seed=1&hang_up=$how&x=$how"; done)
        run_ajob get --retry-delay 1ms -j 2 -i - -d "$how" <<<"$list"
        assert_success
        assert_equal "$(sha256sum "$how"/* | cut -d ' ' -f 1 | uniq -c | tr -s ' ')" " 12 $(body_sha256 1 1K)"
        assert_requests 12 "x=$how 200 ok"
    done
}

@test "one host says 503, another works: its files come meanwhile" {
    start_server
    run_ajob get -r 1 --retry-delay 1ms --events events "$MAIN/f/a?size=5&status=503&retry_after=1&times=1" \
        "$STORAGE/f/b?size=6" "$STORAGE/f/c?size=7" "$MAIN/f/d?status=503"
    assert_failure 1
    assert_tree . a b c events
    assert_equal "$(events events 'event == "task.ended"' task | sort | tr -d '\n')" abcd
    assert_equal "$(events events 'event == "task.ended"' task | head -n 2 | sort | tr -d '\n')" bc
}

@test "a body whose end is not told, without a digest: said aloud" {
    start_server
    run_ajob get -r 0 "$MAIN/f/a?size=300K&seed=1&length=none&close_at=200K" "$MAIN/f/b?size=300K&seed=1&http10=1"
    assert_success
    assert_stderr --regexp 'a: .*(length|how long|whole|size)'
    refute_stderr --regexp 'note: b'
    run_ajob get -r 0 -o c --sha256 "$(body_sha256 1 300K)" "$MAIN/f/a?size=300K&seed=1&length=none"
    assert_success
    refute_stderr --partial 'note: c'
}

@test "room that was made for bytes that never came is given back" {
    start_server
    expect_part
    run_ajob get -r 0 "$MAIN/f/a?size=300K&seed=1&length=1G"
    assert_failure 1
    (($(du -sk . | cut -f 1) < 10000))
}
