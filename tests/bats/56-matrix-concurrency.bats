# The matrix of company: several tasks, runs and hosts at once. One claims a target, the
# others say so; nothing is interleaved; a server's limits are kept, and cost no file.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# one_of FILE SIZE SEED...: it is one of these bodies, whole
one_of() {
    local sum seed
    sum=$(sha256sum <"$1")
    for seed in "${@:3}"; do
        [[ ${sum%% *} != "$(body_sha256 "$seed" "$2")" ]] || return 0
    done
    fail "$1 is none of the bodies ${*:3} of $2"
}

# spec TASKS: as JSON in ./spec.json
spec() { printf '{"tasks": {%s}}\n' "$1" >spec.json; }

@test "two tasks of one run on one target, under several names of it: it is one body, whole" {
    start_server
    mkdir sub real
    ln -s real link
    spec "\"x\": {\"get\": \"$MAIN/f/1?size=1M&seed=1&latch=go&latch_at=700K\", \"to\": \"real/a\"},
          \"y\": {\"get\": \"$MAIN/f/2?size=1M&seed=2&latch=go&latch_at=700K\", \"to\": \"./sub/../real//a\"},
          \"z\": {\"get\": \"$MAIN/f/3?size=1M&seed=3&latch=go&latch_at=700K\", \"to\": \"link/a\"}"
    start_ajob run -k --events events spec.json
    wait_for_request ' held$' 1
    ended() { [[ $(events events 'event == "task.ended"' task | wc -l) == 2 ]]; }
    wait_until 60 ended
    open_latch go
    wait_ajob
    assert_failure 1
    assert_tree . events link real/a spec.json sub/
    one_of real/a 1M 1 2 3
    assert_equal "$(events events 'event == "task.ended"' status | sort | uniq -c | tr -s ' ' | tr '\n' ,)" ' 2 failed, 1 succeeded,'
    assert_equal "$(grep -c 'another download is writing it' <<<"$stderr")" 2
    assert_requests 1
}

@test "one after the other on one target: the second replaces it, or leaves it as it is" {
    start_server
    spec "\"x\": {\"get\": \"$MAIN/f/1?size=300K&seed=1\", \"to\": \"a\"},
          \"y\": {\"get\": \"$MAIN/f/2?size=300K&seed=2\", \"to\": \"a\", \"sha256\": \"$(body_sha256 2 300K)\", \"needs\": [\"x\"]},
          \"z\": {\"get\": \"$MAIN/f/2?size=300K&seed=2\", \"to\": \"a\", \"sha256\": \"$(body_sha256 2 300K)\", \"needs\": [\"y\"]}"
    run_ajob run spec.json
    assert_success
    assert_body a 2 300K
    assert_tree . a spec.json
    assert_requests 2
}

@test "a target whose owner was killed is free, and what it left is used" {
    start_server
    local url="$MAIN/f/a?size=2M&seed=1&latch=go&latch_at=1M&times=1" left
    start_ajob get "$url"
    wait_for_request ' held$'
    wait_until 60 test -s a.part.json
    expect_status 137
    run_ajob get -r 0 "$url" # while it lives
    assert_failure 1
    assert_stderr --partial 'a.part: another download is writing it'
    kill -KILL "$AJOB_PID"
    wait_ajob
    left=$(stat -c %s a.part)
    run_ajob get "$url"
    assert_success
    assert_body a 1 2M
    assert_tree . a
    (($(requests ' 206 ' sent) <= 2097152 - left + 524288))
}

@test "two runs of one release into one directory: each file whole, and nothing left over" {
    start_server "$("$PYTHON" -c 'import json; print(json.dumps({"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [
        {"name": f"{k}", "size": "200K", "seed": k, "query": "slow=2M"} for k in range(1, 7)]}]}}}))')"
    local i k pids=()
    for i in 1 2 3; do
        "$AJOB" download -k -q --retry-delay 1ms o/r >/dev/null 2>"$BATS_TEST_TMPDIR/err$i" 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i" || true; done
    for k in {1..6}; do assert_body v1/$k $k 200K; done
    assert_tree . v1/{1,2,3,4,5,6}
    run_ajob download o/r
    assert_success
    assert_stderr --partial '6 up to date'
}

@test "get and download, and many runs that begin and are killed, on one target" {
    start_server
    local i url="$MAIN/f/a?size=1M&seed=1&slow=8M" pid
    for i in {1..12}; do
        "$AJOB" get -q -r 0 "$url" >/dev/null 2>&1 3>&- &
        pid=$!
        "$AJOB" get -q -r 0 "$url" >/dev/null 2>&1 3>&- &
        wait_until 60 test -e a -o -e a.part
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" || true
        wait $! || true
        [[ ! -e a ]] || assert_body a 1 1M
    done
    run_ajob get "$url"
    assert_success
    assert_body a 1 1M
    assert_tree . a
}

@test "a server that takes only so many at once: what it turned away comes later" {
    start_server
    local how list
    for how in 503 429 reset; do
        list=$(for i in {1..12}; do echo "$MAIN/f/$i?size=20K&seed=$i&most=2&key=$how&most_with=$how&slow=2M"; done)
        run_ajob get -r 50 --retry-delay 20ms -i - -d "$how" <<<"$list"
        assert_success
        assert_equal "$(tree "$how" | wc -l)" 12
        for i in 1 7 12; do assert_body "$how/$i" "$i" 20K; done
    done
}

@test "a long way to the server costs time, not files" {
    start_server
    run_ajob get -j 12 --per-host 12 -r 0 -i - <<<"$(for i in {1..24}; do echo "$MAIN/f/$i?size=10&seed=$i&rtt=0.05"; done)"
    assert_success
    assert_equal "$(tree . | wc -l)" 24
    (($(requests . connection | sort -u | wc -l) <= 12)) # and no more connections than that
}

@test "SIGINT, SIGTERM, SIGHUP and SIGKILL in turn, and then again: little is fetched twice" {
    start_server
    local signal count=0 url="$MAIN/f/a?size=8M&seed=1&latch=never&latch_at=1500K&times=4"
    for signal in INT TERM HUP KILL; do
        start_ajob get --segments 1 "$url"
        wait_for_request ' held$'
        count=$((count + 1))
        arrived() { [[ -e a.part && $(stat -c %s a.part) -gt $((count * 1000000)) && -e a.part.json ]]; }
        [[ $signal != KILL ]] || wait_until 60 arrived
        kill "-$signal" "$AJOB_PID"
        expect_status 129 130 137 143
        wait_ajob
        assert_tree . a.part a.part.json
        wait_for_request ' client-gone$' $count
    done
    run_ajob get --segments 1 "$url"
    assert_success
    assert_body a 1 8M
    assert_tree . a
    assert_requests 4 ' 206 '
    assert_equal "$(requests . sent | awk '{ sum += $1 } END { print sum <= 8388608 * 1.5 }')" 1
    open_latch never
}

@test "a host that says when to come again is left alone until then, by every task" {
    start_server
    run_ajob get --per-host 1 --retry-delay 1ms "$MAIN/f/a?size=5&status=429&retry_after=1&times=1" \
        "$MAIN/f/b?size=6" "$MAIN/f/c?size=7" "$STORAGE/f/d?size=8"
    assert_success
    assert_tree . a b c d
    assert_requests 5
    requests '^main' t t_end status >times
    awk 'NR == 1 { until = $2 + 0.9 } NR > 1 && $1 < until { print; bad = 1 } END { exit bad }' times
    rm times
}
