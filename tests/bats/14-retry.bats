# What is tried again, how often and when, and what is not.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# mended FAULT [TEXT]: a fault that happens once does no harm
mended() {
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get --retry-delay 1ms --stall-timeout "${stall-30s}" "$MAIN/f/a?size=300K&seed=1&times=1&$1"
    assert_success
    assert_body a 1 300K
    assert_tree . a
    assert_requests 2
    assert_stderr --regexp "retrying a (at once|in [0-9]+ms) \(attempt 2\): ${2-.}"
    rm a
}

@test "statuses that pass" {
    start_server
    mended status=408 'HTTP 408 \(Request Timeout\)'
    mended status=429 'HTTP 429 \(Too Many Requests\)'
    mended 'status=500&body=%7B%22message%22:%22boom%22%7D' 'HTTP 500 \(Internal Server Error\): boom'
    mended status=502 'HTTP 502 \(Bad Gateway\)'
    mended status=503 'HTTP 503 \(Service Unavailable\)'
    mended status=504 'HTTP 504 \(Gateway Timeout\)'
}

@test "connections that break, with and without a length" {
    start_server
    mended reset_at=0 'Recv failure|reset'
    mended reset_at=200K
    mended close_at=200K 'the body ended early'
    mended 'chunked=1&close_at=200K'
    mended 'chunked=1&reset_at=200K'
    mended chunked=bad
    mended empty=1 'the server closed the connection without a reply'
    mended empty=reset
    mended garbage=1
}

@test "what has arrived before it broke off is not asked for again" {
    start_server
    mended reset_at=200K
    assert_equal "$(requests . headers.range status sent)" $'\t200\t204800\nbytes=204800-\t206\t102400'
    mended 'close_at=299K'
    assert_equal "$(requests . sent)" $'306176\n1024'
}

@test "a stall is noticed and mended" {
    local stall=1s
    start_server
    mended stall_at=100K 'stalled: no data for 1s'
    assert_equal "$(requests . sent | tail -n 1)" 204800
}

@test "a stall before the first byte, too" {
    start_server
    run_ajob get -r 0 --stall-timeout 1s "$MAIN/f/a?latch=never"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/a: stalled: no data for 1s"
    open_latch never
}

@test "slow is no stall" {
    start_server
    run_ajob get -r 0 --stall-timeout 1s "$MAIN/f/a?size=12K&slow=8K&seed=1"
    assert_success
    assert_body a 1 12K
}

@test "connections that are refused are tried again" {
    run_ajob get -r 2 --retry-delay 1ms --events events http://127.0.0.1:1/a http://localhost:1/b
    assert_failure 1
    assert_stderr --partial 'ajob: get: http://127.0.0.1:1/a: Connection refused'
    assert_stderr --partial 'ajob: get: http://localhost:1/b: Connection refused'
    assert_stderr --regexp 'retrying a (at once|in [0-9]+ms) \(attempt 2\): Connection refused'
    assert_equal "$(events events 'event == "task.ended" and task == "b"' attempts status)" $'3\tfailed'
    assert_equal "$(events events 'event == "task.retrying" and task == "a"' attempt cause)" \
        $'1\tConnection refused\n2\tConnection refused'
}

@test "a server that takes no connections: --connect-timeout" {
    # With its queue full, Linux lets a further one wait.
    mkfifo end
    "$PYTHON" -c 'import os, socket
server = socket.create_server(("127.0.0.1", 0), backlog=0)
clients = [socket.create_connection(server.getsockname()) for _ in range(1)]
with open("port.new", "w") as file:
    file.write(str(server.getsockname()[1]))
os.rename("port.new", "port")
open("end").read()' 3>&- &
    wait_until 60 test -e port
    run_ajob get -r 1 --retry-delay 1ms --connect-timeout 300ms "http://127.0.0.1:$(<port)/a"
    echo >end
    wait
    assert_failure 1
    assert_stderr --partial 'retrying a '
    assert_stderr --partial "ajob: get: http://127.0.0.1:$(<port)/a: connection timed out"
}

@test "as often as -r says, four times by default" {
    start_server
    run_ajob get -r 2 --retry-delay 1ms "$MAIN/f/a?status=503"
    assert_failure 1
    assert_requests 3
    run_ajob get --retries=0 "$MAIN/f/b?status=503"
    assert_failure 1
    assert_requests 1 /f/b
    refute_stderr --partial retrying
    run_ajob get --retry-delay 1ms "$MAIN/f/c?status=503"
    assert_failure 1
    assert_requests 5 /f/c
    run_ajob get -r 4 --retry-delay 1ms "$MAIN/f/d?status=503&times=4&size=9"
    assert_success
}

@test "progress gives new hope: a long file outlives more breaks than -r" {
    start_server
    run_ajob get -r 1 --retry-delay 1ms --segments 1 "$MAIN/f/a?size=9M&reset_at=2M&seed=1"
    assert_success
    assert_body a 1 9M
    assert_requests 5
}

@test "delays grow from --retry-delay, at random below it" {
    start_server
    run_ajob get -r 3 --retry-delay 40ms --events events "$MAIN/f/a?status=503" "$MAIN/f/b?status=503"
    assert_failure 1
    assert_equal "$(events events 'event == "task.retrying" and delay > 0.04 * 2 ** (attempt - 1)')" ""
    (($(events events 'event == "task.retrying"' delay | sort -u | wc -l) > 1))
}

@test "Retry-After is a lower bound, as seconds and as a date" {
    start_server
    run_ajob get --retry-delay 1ms --events events "$MAIN/f/a?status=503&retry_after=1&times=1&size=5" \
        "$MAIN/f/b?status=429&retry_after=date:%2B1&times=1&size=5" "$MAIN/f/c?status=500&retry_after=x&times=1&size=5" \
        "$MAIN/f/d?status=503&retry_after=date:%2B0&times=1&size=5"
    assert_success
    assert_equal "$(events events 'event == "task.retrying" and task in "ab" and delay >= 1' task | sort | tr -d '\n')" ab
    assert_equal "$(events events 'event == "task.retrying" and task == "c" and delay < 0.1' task)" c
    run_ajob get --timeout 500ms "$MAIN/f/e?status=503&retry_after=200"
    assert_failure 124 # it is obeyed, not believed to be a minute
    run_ajob get "$MAIN/f/e?status=503&retry_after=100000"
    assert_failure 1 # nobody waits for a day
    assert_stderr --partial 'to be tried again in 1d3h46m40s, which is too long to wait'
}

@test "a backoff holds no slot: others go on meanwhile" {
    start_server
    run_ajob get -j 1 --retry-delay 1s --events events "$MAIN/f/a?reset_at=0&times=1&size=5" "$MAIN/f/b?size=5"
    assert_success
    assert_equal "$(events events 'event in ("task.started", "task.ended")' task event)" "$(printf '%s\t%s\n' \
        a task.started b task.started b task.ended a task.started a task.ended)"
}

# order FILE: the starts and ends of tasks, as "a+ a-"
order() {
    events "$1" 'event in ("task.started", "task.ended")' task event |
        sed 's/\ttask.started/+/; s/\ttask.ended/-/' | tr '\n' ' '
}

# start_of TASK: when it first started, in microseconds
start_of() {
    local time
    time=$(events events "event == 'task.started' and task == '$1'" time | head -n 1)
    date -d "$time" +%s%6N
}

@test "a host that says when to come again is left alone by all, and others go on" {
    start_server
    run_ajob get -j 4 --per-host 1 --retry-delay 1ms --events events "$MAIN/f/a?status=503&retry_after=1&times=1&size=5" \
        "$MAIN/f/b?size=5" "$MAIN/f/c?size=5" "$STORAGE/f/d?size=5"
    assert_success
    assert_equal "$(order events)" "a+ d+ d- b+ b- c+ c- a+ a- "
    (($(start_of b) - $(start_of a) >= 1000000)) || fail "b did not wait for as long as a was told to"
}

@test "without Retry-After only the one that was refused waits" {
    start_server
    run_ajob get -j 1 --retry-delay 1s --events events "$MAIN/f/a?status=503&times=1&size=5" "$MAIN/f/b?size=5"
    assert_success
    assert_equal "$(order events)" "a+ b+ b- a+ a- "
}

@test "a used up rate limit closes a host until it is reset, a used up one in the past does not" {
    start_server
    local soon=$((EPOCHSECONDS + 2))
    run_ajob get -j 1 --retry-delay 1ms --events events \
        "$MAIN/f/a?status=403&header=X-RateLimit-Remaining:0&header=X-RateLimit-Reset:$soon&times=1&size=5" \
        "$MAIN/f/b?size=5"
    assert_success
    assert_equal "$(order events)" "a+ b+ b- a+ a- "
    ((EPOCHSECONDS >= soon)) || fail "not left alone until then"
    run_ajob get "$MAIN/f/c?status=403&header=X-RateLimit-Remaining:0&header=X-RateLimit-Reset:1&size=5"
    assert_failure 1
    refute_stderr --partial retrying
}

@test "a host that is left alone for too long fails all who would wait, unasked" {
    start_server
    run_ajob get -j 1 -k --retry-delay 1ms "$MAIN/f/a?status=429&retry_after=1000" "$MAIN/f/b?size=5" "$STORAGE/f/c?size=5"
    assert_failure 1
    assert_stderr --partial '/f/a: HTTP 429 (Too Many Requests): to be tried again in 16m40s, which is too long to wait'
    assert_stderr --regexp "/f/b: $MAIN wants to be left alone for 16m[0-9]+s, which is too long to wait"
    refute_stderr --partial retrying
    assert_requests 0 /f/b
    assert_tree . c
}

@test "a redirect to a host that wants to be left alone waits, too" {
    start_server
    run_ajob get -j 1 --retry-delay 1ms --events events "$STORAGE/f/a?status=503&retry_after=1&times=1&size=5" \
        "$MAIN/f/b?redirect=storage&size=5&seed=2"
    assert_success
    assert_stderr --partial "retrying b "
    assert_stderr --partial "$STORAGE wants to be left alone for"
    assert_body b 2 5
    assert_equal "$(requests '^storage' path | head -n 1)" /f/a
}

@test "not tried again: other statuses, what is wrong with the body, the disk" {
    start_server
    run_ajob get --retry-delay 1ms "$MAIN/f/400?status=400" "$MAIN/f/404?status=404" "$MAIN/f/405?status=405" \
        "$MAIN/f/410?status=410" "$MAIN/f/501?status=501" "$MAIN/f/505?status=505"
    assert_failure 1
    refute_stderr --partial retrying
    assert_stderr --partial '6 failed'
    assert_requests 6
    mkdir taken
    run_ajob get --retry-delay 1ms "$MAIN/f/taken?size=5"
    assert_failure 1
    refute_stderr --partial retrying
}

@test "headers without end are a failure, not a loop" {
    start_server
    run_ajob get -r 1 --retry-delay 1ms "$MAIN/f/a?big_header=600K&size=5"
    assert_failure 1
    assert_stderr --partial "/f/a: out of memory, or a line of the server's headers is longer than 100 KiB"
    assert_requests 1
    assert_tree .
}

@test "an asset's retry begins at the original URL, for signatures end" {
    start_server '{"sign_once": true, "repos": {"o/r": {"releases": [{"tag": "v1", "assets": [
        {"name": "a", "size": "300K", "seed": 1, "query": "reset_at=200K&times=1"}]}]}}}'
    run_ajob download --retry-delay 1ms o/r
    assert_success
    assert_body v1/a 1 300K
    assert_requests 2 '/download/v1/a 302'
    assert_equal "$(requests '^storage' status headers.range)" $'200\t\n206\tbytes=204800-'
    assert_stderr --regexp 'retrying v1/a '
}

@test "a host whose name is not found is looked up again, as often as is asked for" {
    run_ajob get -r 1 --retry-delay 1ms --events events http://nowhere.invalid/a
    assert_failure 1
    assert_stderr --partial 'ajob: get: http://nowhere.invalid/a: Could not resolve host: nowhere.invalid'
    assert_equal "$(events events 'event == "task.ended"' attempts)" 2
}
