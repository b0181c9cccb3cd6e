# How many at once, to whom, and for how long.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# urls COUNT [PARAMETERS]: that many files f1, f2… on MAIN
urls() { for ((i = 1; i <= $1; i++)); do echo "$MAIN/f/f$i?size=10${2:+&$2}"; done; }

# at_once COUNT ARG...: get with these options has COUNT requests under way, not one more
at_once() {
    local name=go$1${2-} i
    : >"$SERVER_STATE/requests.jsonl"
    start_ajob get -d "$name" "${@:2}" -i <(urls 40 "latch=$name")
    wait_for_request "latch=$name held$" "$1"
    # Another one would be there by the time that an asking and its answer take.
    for i in {1..20}; do ask_server _latch/none/open; done
    assert_equal "$(max_inflight)" "$1"
    open_latch "$name"
    wait_ajob
    assert_success
    assert_equal "$(max_inflight)" "$1"
    assert_equal "$(tree "$name" | wc -l)" 40
}

@test "six to one host by default; -j and --per-host say otherwise" {
    start_server
    at_once 6
    at_once 9 -j 9
    at_once 3 --per-host 3
    at_once 2 -j 2 --per-host 9
}

@test "hosts have their limits each, and together no more than -j" {
    start_server
    for i in {1..10}; do printf '%s\n' "$MAIN/f/a$i?latch=go&size=1" "$STORAGE/f/b$i?latch=go&size=1"; done >list
    start_ajob get -i list -d two
    wait_for_request ' held$' 12
    assert_equal "$(max_inflight '^main')" 6
    assert_equal "$(max_inflight '^storage')" 6
    open_latch go
    wait_ajob
    assert_success
    sed -i 's/latch=go/latch=on/' list
    : >"$SERVER_STATE/requests.jsonl"
    start_ajob get -j 5 --per-host 3 -i list -d five
    wait_for_request ' held$' 5
    assert_requests 5
    open_latch on
    wait_ajob
    assert_success
    assert_equal "$(max_inflight '^main')" 3
    assert_equal "$(tree five | wc -l)" 20
}

@test "assets obey them too, those of several releases together" {
    start_server "$("$PYTHON" -c 'import json; print(json.dumps({"repos": {"o/r": {"releases": [
        {"tag": f"v{n}", "assets": [{"name": f"{k}", "size": k, "query": "latch=go"} for k in range(10)]} for n in range(4)]}}}))')"
    start_ajob download -j 4 o/r v0 v1 v2 v3
    wait_for_request '^storage.*held$' 4
    assert_equal "$(max_inflight '^storage')" 4
    open_latch go
    wait_ajob
    assert_success
    assert_equal "$(max_inflight '^storage')" 4
    assert_equal "$(tree . | wc -l)" 40
}

@test "--timeout ends all, with 124, and keeps what has arrived" {
    start_server
    expect_part
    run_ajob get --timeout 3s "$MAIN/f/a?size=1M&seed=1&latch=go&latch_at=600K&times=1" "$MAIN/f/b?size=5" "$MAIN/f/c?status=503&retry_after=100"
    assert_failure 124
    assert_tree . a.part a.part.json b
    assert_stderr --regexp $'(^|\n)ajob: get: timeout 3s: still running: a, c\n1 downloaded, 2 cancelled'
    refute_stderr --partial cancelling
    assert_stderr --partial '1 downloaded, 2 cancelled'
    run_ajob get --timeout=1m "$MAIN/f/a?size=1M&seed=1&latch=go&latch_at=600K&times=1"
    assert_success
    assert_requests 1 ' 206 '
    open_latch go
}

@test "--timeout covers the questions to the API; 0 starts nothing" {
    start_server '{"errors": {"*": {"latch": "go"}}, "repos": {"o/r": {}}}'
    run_ajob download --timeout 0.3 o/r v1
    assert_failure 124
    assert_tree .
    open_latch go
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get --timeout 0 "$MAIN/f/a"
    assert_failure 124
    assert_requests 0
}

@test "a failure of its own stays a failure, though others time out" {
    start_server
    b_has_failed() { [[ $stderr == *'/f/b: HTTP 404 (Not Found)'* ]]; }
    with_time b_has_failed run_ajob get "$MAIN/f/a?latch=go" "$MAIN/f/b?status=404" --timeout
    assert_failure 124
    assert_stderr --partial "ajob: get: $MAIN/f/b: HTTP 404 (Not Found)"
    assert_stderr --partial '1 failed, 1 cancelled'
    open_latch go
}

@test "--grace is no wait: what stops at once is not waited for" {
    start_server
    run_ajob get --grace 1h --timeout 200ms "$MAIN/f/a?latch=go"
    assert_failure 124
    run_ajob get --grace 0 --timeout 200ms "$MAIN/f/b?latch=go"
    assert_failure 124
    open_latch go
}

@test "few descriptors are a failure that says so, not a crash" {
    start_server
    urls 30 latch=go >list
    (ulimit -n 16 && exec "$AJOB" get -r 0 -j 30 --events events -i list) >"$AJOB_OUT" 2>"$AJOB_ERR" 3>&- &
    AJOB_PID=$!
    failed_some() { grep -q '"failed"' events; }
    wait_until 60 failed_some
    open_latch go
    wait_ajob
    assert_failure 1
    assert_stderr --regexp 'Too many open files|could not|Couldn'
    assert_events events
    run_ajob get -i list
    assert_success
    assert_equal "$(find . -name 'f*' | wc -l)" 30
}

@test "a thousand small files" {
    start_server
    for i in {1..1000}; do echo "$MAIN/f/$i?size=100&seed=1"; done >list
    run_ajob get -j 32 -i list -d out
    assert_success
    assert_equal "$(tree out | wc -l)" 1000
    body 1 100 >one
    for i in 1 500 1000; do cmp one "out/$i"; done
    assert_equal "$(find out -size -100c | wc -l)" 0
}
