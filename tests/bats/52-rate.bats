# --limit-rate: all together receive no more than that; --min-speed: who is slower than
# that is given up. Times are lower bounds only: never more than the limit times the time.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# at_least MS COMMAND...: it takes that long, or longer
at_least() {
    local begun=${EPOCHREALTIME//[!0-9]/} took
    "${@:2}"
    took=$(((${EPOCHREALTIME//[!0-9]/} - begun) / 1000))
    ((took >= $1)) || fail "took $took ms, less than $1 ms: ${*:2}"
}

@test "a file comes no faster than the limit" {
    start_server
    at_least 500 run_ajob get --limit-rate 64K "$MAIN/f/a?size=32K&seed=1"
    assert_success
    assert_body a 1 32K
    at_least 500 run_ajob get --limit-rate 4M "$MAIN/f/b?size=2M&seed=2"
    assert_success
    assert_body b 2 2M
}

@test "a limit smaller than a piece, and one that is never reached" {
    start_server
    at_least 500 run_ajob get --limit-rate 2K "$MAIN/f/a?size=1K&seed=1"
    assert_success
    assert_body a 1 1K
    run_ajob get --limit-rate 100G "$MAIN/f/b?size=3M&seed=2"
    assert_success
    assert_body b 2 3M
}

@test "the limit is for all transfers together" {
    start_server
    at_least 500 run_ajob get --limit-rate 256K "$MAIN"/f/{a,b}"?size=32K&seed=1" "$STORAGE"/f/{c,d}"?size=32K&seed=1"
    assert_success
    for name in a b c d; do
        assert_body $name 1 32K
    done
}

@test "each gets its share: a small one does not wait for a large one" {
    start_server
    run_ajob get --limit-rate 512K --segments 1 --events events "$MAIN/f/large?size=256K&seed=1" "$MAIN/f/small?size=16K&seed=2"
    assert_success
    assert_body large 1 256K
    assert_equal "$(events events 'event == "task.ended"' task | head -n 1)" small
}

@test "nothing is counted or written twice where pieces come a second time: digest, chunks, segments" {
    start_server
    local sum
    sum=$(body_sha256 1 300K)
    run_ajob get --limit-rate 2M --retry-delay 1ms "$MAIN/f/a?size=300K&seed=1&chunked=1" "$MAIN/f/b?size=300K&seed=1&length=none" \
        "$MAIN/f/c?size=300K&seed=1&reset_at=200K&times=1"
    assert_success
    assert_equal "$(sha256sum a b c | cut -d ' ' -f 1 | sort -u)" "$sum"
    run_ajob get --limit-rate 4M --segments 4 "$MAIN/f/d?size=2M&seed=1"
    assert_success
    assert_body d 1 2M
}

@test "over TLS, too" {
    start_server --tls
    at_least 250 run_ajob get --cacert "$CA" --limit-rate 1M "$TLS/f/a?size=256K&seed=1"
    assert_success
    assert_body a 1 256K
}

@test "what the API says counts as well" {
    local assets
    assets=$(printf '{"name": "a%d", "size": 5},' {1..40})
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": ['"${assets%,}"']}]}}}'
    at_least 300 run_ajob download --list --limit-rate 64K o/r
    assert_success
    (($(requests '/releases/latest' sent) > 20000))
}

@test "one who waits for the limit is not stalled, however long; nor too slow" {
    start_server
    run_ajob get --limit-rate 8K --stall-timeout 700ms --min-speed 1M -r 0 "$MAIN/f/a?size=8K&seed=1" "$MAIN/f/b?size=4K&seed=2"
    assert_success
    assert_body a 1 8K
    assert_body b 2 4K
}

@test "behind a limit, a server that says nothing more is stalled all the same" {
    start_server
    run_ajob get --limit-rate 1M --stall-timeout 400ms -r 0 "$MAIN/f/a?size=300K&stall_at=100K"
    assert_failure 1
    assert_stderr --partial 'stalled: no data for 400ms'
    expect_part
}

@test "what waits for the limit can be cancelled at once, and goes on the next time" {
    start_server
    expect_part
    start_ajob get --limit-rate 1K --segments 1 "$MAIN/f/a?size=300K&seed=1" "$MAIN/f/b?size=300K&seed=2"
    wait_for_request '/f/[ab]' 2
    kill -INT "$AJOB_PID"
    expect_status 130
    wait_ajob
    assert_failure 130
    run_ajob get "$MAIN/f/a?size=300K&seed=1" "$MAIN/f/b?size=300K&seed=2"
    assert_success
    assert_body a 1 300K
    assert_body b 2 300K
}

@test "less than --min-speed is a stall that is tried again, from where it came to" {
    start_server
    expect_part
    run_ajob get -r 1 --stall-timeout 800ms --min-speed 64K --retry-delay 1ms "$MAIN/f/a?size=300K&seed=1&slow=8K"
    assert_failure 1
    assert_requests 2
    assert_requests 1 ' 206 '
    assert_stderr --partial '(attempt 2): stalled: less than 65536 bytes/s for 800ms'
    assert_stderr --partial '/f/a: stalled: less than 65536 bytes/s for 800ms'
}

@test "the least speed is 100 bytes a second by itself" {
    start_server
    expect_part
    run_ajob get --stall-timeout 600ms -r 0 "$MAIN/f/a?size=300K&slow=50"
    assert_failure 1
    assert_stderr --regexp 'stalled: (less than 100 bytes/s|no data) for 600ms'
    run_ajob get --stall-timeout 600ms --min-speed 1 -r 0 "$MAIN/f/b?size=100&slow=100"
    assert_success
}

@test "a server that thinks before it answers, and then is fast, is not too slow" {
    start_server
    run_ajob get --stall-timeout 2s --min-speed 100K -r 0 "$MAIN/f/a?size=300K&seed=1&delay=1"
    assert_success
    assert_body a 1 300K
}
