# Ctrl-C and its relatives: everything ends at once, what has arrived stays, and
# ajob dies by that signal itself.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# soon NAME: sends AJOB_PID this signal, and expects it dead by it (what it would have
# to wait for never comes)
soon() {
    expect_status "$((128 + $(kill -l "$1")))"
    kill -"$1" "$AJOB_PID"
    wait_ajob
    assert_failure "$((128 + $(kill -l "$1")))"
}

@test "SIGINT, SIGTERM, SIGHUP: the part stays, the next run goes on" {
    start_server
    expect_part
    for signal in INT TERM HUP; do
        local url="$MAIN/f/$signal?size=2M&seed=1&latch=$signal&latch_at=1M&times=1"
        start_ajob get --events events "$url"
        wait_for_request "/f/$signal.* held$"
        wait_until 60 test -s "$signal.part"
        soon "$signal"
        assert_stderr --partial "ajob: get: cancelling: SIG$signal"
        local kept # of what was sent, not all may have come
        kept=$(stat -c %s "$signal.part")
        assert_equal "$(tail -n 2 <<<"$stderr" | sed -E 's/ in .*//; s/kept [0-9.]+ [KM]iB/kept some/')" \
            $'1 cancelled\nkept some of 1 file: run the same command again to go on'
        refute_exists "$signal"
        assert_events events
        assert_equal "$(events events 'event == "task.ended"' status kept cause)" $'cancelled\t'"$kept"$'\tcancelled by SIG'"$signal"
        assert_equal "$(events events 'event == "run.ended"' status exit counts.cancelled)" \
            $'cancelled\t'"$((128 + $(kill -l $signal)))"$'\t1'
        run_ajob get "$url"
        assert_success
        assert_body "$signal" 1 2M
        assert_equal "$(requests "/f/$signal.* 206 " headers.range)" "bytes=$kept-"
    done
    assert_equal "$(find . -name '*.part*')" ""
}

@test "it is the signal that ends it, not a status that looks alike" {
    start_server
    for signal in INT TERM HUP; do
        "$PYTHON" - "$AJOB" get "$MAIN/f/$signal?latch=go" <<'END' 3>&- &
import signal, subprocess, sys
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_DFL)
with open("err", "w") as err:
    ajob = subprocess.Popen(sys.argv[1:], stderr=err)
with open("pid.new", "w") as file:
    file.write(str(ajob.pid))
import os
os.rename("pid.new", "pid")
ajob.wait()
with open("code", "w") as file:
    file.write(str(ajob.returncode))
END
        wait_for_request "/f/$signal.* held$"
        wait_until 60 test -e pid
        kill -"$signal" "$(<pid)"
        wait
        assert_equal "$(<code)" "-$(kill -l $signal)"
        rm pid code
    done
}

@test "twice: at once, and still by that signal" {
    start_server
    expect_part
    start_ajob get "$MAIN/f/a?size=2M&latch=go&latch_at=1M" "$MAIN/f/b?latch=go" "$MAIN/f/c?status=503&retry_after=100"
    wait_for_request ' held$' 2
    wait_for_request '/f/c.* 503 '
    kill -TERM "$AJOB_PID" "$AJOB_PID" || true # it may be over before the second
    expect_status 143
    wait_ajob
    assert_failure 143
    refute_exists a
    refute_exists b.part
}

@test "what waits never starts; what has ended stays ended" {
    start_server
    start_ajob get -j 1 --events events "$MAIN/f/a?size=10" "$MAIN/f/b?latch=go" "$MAIN/f/c?size=10" "$MAIN/f/d?size=10"
    wait_for_request '/f/b.* held$'
    soon INT
    assert_tree . a events
    assert_requests 0 '/f/[cd]'
    assert_stderr --partial '1 downloaded, 3 cancelled'
    assert_events events
    assert_equal "$(events events 'event == "task.ended"' task status attempts | sort)" \
        "$(printf '%s\t%s\t%d\n' a succeeded 1 b cancelled 1 c cancelled 0 d cancelled 0)"
}

@test "during a question to the API" {
    start_server '{"errors": {"releases/latest": {"latch": "go"}}, "repos": {"o/r": {"releases": [
        {"tag": "v1", "assets": [{"name": "a", "size": 10}]}]}}}'
    start_ajob download --events events -d out o/r
    wait_for_request '/releases/latest held$'
    soon INT
    assert_tree . events
    assert_events events
    assert_equal "$(events events 'event == "run.ended"' status)" cancelled
}

@test "during one question of several: they come one at a time, the others not at all" {
    start_server '{"errors": {"releases/tags/v1": {"latch": "go"}}, "repos": {"o/r": {}}}'
    start_ajob download --events events o/r v1 v2 v3
    wait_for_request '/releases/tags/v1 held$'
    soon INT
    assert_requests 1
    assert_events events
    assert_equal "$(events events 'event == "task.ended"' task status | sort)" \
        "$(printf '%s\tcancelled\n' v1 v2 v3)"
}

@test "during a backoff: it is not waited out, and nothing is tried again" {
    start_server
    start_ajob get --events events "$MAIN/f/a?status=503&retry_after=100&size=10"
    retries() { grep -q task.retrying events; }
    wait_until 60 retries
    soon INT
    assert_requests 1
    assert_events events
    assert_equal "$(events events 'event == "task.ended"' status attempts)" $'cancelled\t1'
}

@test "during the wait for a rate limit" {
    start_server '{"rate_limit": {"retry_after": 50}, "repos": {"o/r": {}}}'
    start_ajob download -v --events events o/r v1
    retries() { grep -q task.retrying events; }
    wait_until 60 retries
    soon TERM
    assert_requests 1
    assert_events events
}

@test "while the file that is there is being compared" {
    truncate -s 200G a
    start_ajob get --events events --sha256 "$(printf '0%.0s' {1..64})" http://127.0.0.1:1/a
    begun() { grep -q task.started events; }
    wait_until 60 begun
    soon INT
    assert_tree . a events
    assert_equal "$(stat -c %s a)" 214748364800
    assert_events events
    assert_equal "$(events events 'event == "task.ended"' status)" cancelled
}

@test "while the part is being hashed, which stays as it was" {
    expect_part
    local zeros
    zeros=$(printf '0%.0s' {1..64})
    truncate -s 200G a.part
    printf '{"part": 1, "identity": "sha256:%s", "etag": "\\"x\\""}' "$zeros" >a.part.json
    cp a.part.json before
    start_ajob get --events events --sha256 "$zeros" http://127.0.0.1:1/a
    begun() { grep -q task.started events; }
    wait_until 60 begun
    soon INT
    assert_equal "$(stat -c %s a.part)" 214748364800
    cmp a.part.json before
    assert_tree . a.part a.part.json before events
}

@test "a signal that was ignored at the start stays ignored" {
    start_server
    env --ignore-signal=INT,HUP --default-signal=TERM "$AJOB" get "$MAIN/f/a?size=10&latch=go" >"$AJOB_OUT" 2>"$AJOB_ERR" 3>&- &
    AJOB_PID=$!
    wait_for_request ' held$'
    kill -INT "$AJOB_PID"
    kill -HUP "$AJOB_PID"
    open_latch go
    wait_ajob
    assert_success
    assert_tree . a
    refute_stderr --partial cancelling
    env --ignore-signal=INT,HUP --default-signal=TERM "$AJOB" get "$MAIN/f/b?size=10&latch=stay" >"$AJOB_OUT" 2>"$AJOB_ERR" 3>&- &
    AJOB_PID=$!
    wait_for_request '/f/b.* held$'
    kill -INT "$AJOB_PID"
    soon TERM
}

@test "nothing is lost by a signal with many in flight" {
    start_server
    expect_part
    local urls=()
    for i in {1..20}; do
        urls+=("$MAIN/f/$i?size=1M&seed=$i&latch=go&latch_at=500K&times=1")
    done
    start_ajob get -j 16 --per-host 16 "${urls[@]}"
    wait_for_request ' held$' 16
    parts_are_there() { [[ $(find . -name '*.part' -size +0 | wc -l) == 16 ]]; }
    wait_until 60 parts_are_there
    soon INT
    assert_stderr --partial '20 cancelled'
    local kept
    kept=$(stat -c 'bytes=%s-' ./*.part | sort)
    open_latch go
    run_ajob get "${urls[@]}"
    assert_success
    assert_equal "$(requests ' 206 ' headers.range | sort)" "$kept"
    for i in {1..20}; do
        assert_body "$i" "$i" 1M
    done
    assert_equal "$(find . -name '*.part*')" ""
}

@test "the reader of stdout goes away: SIGPIPE, quietly" {
    start_server "$("$PYTHON" -c 'import json; print(json.dumps({"repos": {"o/r": {"releases": [
        {"tag": f"v{n}", "assets": [{"name": f"{k:>0100}", "size": 5, "digest": None} for k in range(25)]} for n in range(200)]}}}))')"
    { "${AS_FROM_TERMINAL[@]}" "$AJOB" download --list -A o/r 2>"$AJOB_ERR" 3>&- || echo $? >code; } | head -n 1 >first
    assert_equal "$(<code)" 141
    assert_equal "$(cat "$AJOB_ERR")" ""
    assert_equal "$(cut -f 1 first)" v0
}
