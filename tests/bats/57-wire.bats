# What a server says that cannot be: a failure that says so, never a file.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# spoilt PARAMETERS CAUSE: fails each time it is tried, for this cause, and leaves no file
spoilt() {
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get -r 1 --retry-delay 1ms "$MAIN/f/a?size=100K&seed=1&$1"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/a: $2"
    assert_tree .
    assert_requests 2
}

@test "two lengths that differ, or one that is none, are not half believed" {
    start_server
    spoilt header=Content-Length:5 'the server sends two lengths that differ'
    spoilt header=Content-Length:102401 'the server sends two lengths that differ'
    run_ajob get "$MAIN/f/a?size=100K&seed=1&header=Content-Length:102400"
    assert_success
    assert_body a 1 100K
}

@test "a body in a coding that nobody asked for is not taken for the file" {
    start_server
    run_ajob get -r 0 "$MAIN/f/a?size=100K&seed=1&header=Transfer-Encoding:gzip"
    assert_failure 1
    assert_tree .
}

@test "what came before the answer is no part of it" {
    start_server
    run_ajob get --retry-delay 1ms "$MAIN/f/a?size=300K&seed=1&early=2&reset_at=200K&times=1"
    assert_success
    assert_body a 1 300K
    # The validator is the answer's, not the hint's.
    assert_equal "$(requests_where '"if-range" in headers and "early" in headers["if-range"]')" ""
    assert_requests 1 ' 206 '
}

@test "a date in Retry-After is by the server's clock" {
    start_server
    # Its clock is a day behind: a minute from then has long passed here.
    local past
    past=$(LC_ALL=C date -u -d '1 day ago' '+%a, %d %b %Y %H:%M:%S GMT')
    run_ajob get -r 1 --retry-delay 1ms "$MAIN/f/a?size=5&status=503&times=1&header=Retry-After:${past// /%20}"
    assert_success
    run_ajob get -r 1 --retry-delay 1ms "$MAIN/f/b?size=5&status=503&header=Retry-After:99999999999999999999999"
    assert_failure 1
    assert_stderr --partial 'which is too long to wait'
    assert_requests 1 /f/b
    local wrong
    for wrong in -5 soon 1.5 0x1 %20 3,4; do
        run_ajob get -r 1 --retry-delay 1ms "$MAIN/f/$wrong?size=5&status=503&times=1&header=Retry-After:$wrong"
        assert_success
    done
}
