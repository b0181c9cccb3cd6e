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
    wait_until 10 test -s v1/a.part.json
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
    assert_stderr --partial 'HTTP 401 (Unauthorized): Bad credentials: the token is wrong or has expired'
}

@test "an API that redirects to another host does not give the token away" {
    start_server '{"errors": {"*": {"redirect": "storage"}}, "repos": {"o/r": {}}}'
    GH_TOKEN=$SECRET run_ajob download -r 0 o/r v1
    assert_failure 1
    assert_equal "$(who_got authorization)" ' 1 main'
    assert_requests 1 '^storage'
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
