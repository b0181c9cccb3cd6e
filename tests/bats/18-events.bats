# --events: one JSON object for each fact, in order, whole, whatever happens.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

RELEASES='{"repos": {"o/r": {"releases": [{"tag": "v2", "assets": [
    {"name": "a", "size": "300K", "seed": 1, "query": "status=503&times=1"}, {"name": "b", "size": 10, "query": "status=404"},
    {"name": "c", "size": 10, "digest": null}, {"name": "late", "state": "starter"}]}, {"tag": "v1"}]}}}'

@test "the record of a run with all kinds of ends" {
    start_server "$RELEASES"
    run_ajob download --retry-delay 1ms --events events o/r v2 v9 v1
    assert_failure 1
    assert_events events
    assert_equal "$(events events 'event == "run.started"' schema version tasks seq)" \
        $'1\t'"$("$AJOB" --version | sed -n 's/^ajob //p')"$'\tNone\t1'
    assert_equal "$(events events 'event == "task.ended" and "/" in task' task status attempts bytes | sort)" "$(printf '%s\t%s\t%d\t%s\n' \
        v2/a succeeded 2 307200 v2/b failed 1 0 v2/c succeeded 1 10 v2/late failed 1 '')"
    assert_equal "$(events events 'event == "task.ended" and task == "v2/a"' path sha256 verified up_to_date resumed_from cause exit signal)" \
        "v2/a"$'\t'"$(body_sha256 1 300K)"$'\tTrue\tFalse\t0\tNone\tNone\tNone'
    assert_equal "$(events events 'event == "task.ended" and "/" not in task' task status cause | sort)" "$(printf '%s\t%s\t%s\n' \
        v1 failed 'the release has no assets' \
        v2 failed "$(events events 'event == "task.ended" and task == "v2"' cause)" \
        v9 failed 'o/r: release v9: not found; there are v2, v1')"
    assert_equal "$(events events 'event == "task.retrying"' task attempt cause)" \
        $'v2/a\t1\tHTTP 503 (Service Unavailable)'
    assert_equal "$(events events 'event == "run.ended"' status exit counts.succeeded counts.failed counts.cancelled)" \
        $'failed\t1\t2\t4\t0'
    assert_equal "$(events events 'url is not None')" "" # that is of get
    # The order of things.
    assert_equal "$(events events 'task == "v2/a"' event)" "$(printf '%s\n' task.started task.retrying task.started task.ended)"
}

@test "get: tasks are counted, numbers are numbers, names are escaped" {
    start_server
    run_ajob get --events events "$MAIN/f/a?size=10" "$MAIN/f/%22%5C%0A%01%FF%C3%A9?size=20" "$MAIN/f/c?size=0"
    assert_success
    assert_events events
    assert_equal "$(events events tasks tasks)" 3
    assert_equal "$(events events 'event == "run.ended"' status exit counts.succeeded)" $'succeeded\t0\t3'
    assert_equal "$(events events 'event == "task.ended"' path | sort)" "$(printf '%s\n' $'"____\xc3\xa9' a c | sort)"
    assert_equal "$(events events 'event == "task.ended" and (type(bytes) is not int or type(duration) is not float or type(up_to_date) is not bool)')" ""
    assert_equal "$(events events sha256)" ""
    assert_equal "$(events events 'event == "task.ended"' url | sort)" \
        "$(printf '%s\n' "$MAIN/f/%22%5C%0A%01%FF%C3%A9" "$MAIN/f/a" "$MAIN/f/c" | sort)"
    assert_equal "$(events events 'event != "task.ended" and url')" ""
}

@test "progress: at most one a second and task, with the total if it is known" {
    start_server
    run_ajob get --events events "$MAIN/f/a?size=600K&slow=400K" "$MAIN/f/b?size=600K&slow=400K&chunked=1"
    assert_success
    assert_events events
    local seen
    seen=$(events events 'event == "task.progress" and 0 < bytes <= 614400' task total | sort | uniq -c)
    [[ $seen =~ ^\ *[12]\ a$'\t614400\n'\ *[12]\ b$'\t'None$ ]] || fail "$seen"
}

@test "to stdout, with nothing else there" {
    start_server
    run_ajob get --events - "$MAIN/f/a?size=10" "$MAIN/f/b?status=404"
    assert_failure 1
    cp "$AJOB_OUT" events
    assert_events events
    assert_stderr --partial "ajob: get: $MAIN/f/b: HTTP 404 (Not Found)"
    run_ajob get --events /dev/stdout "$MAIN/f/c?size=10"
    assert_success
    cp "$AJOB_OUT" events
    assert_events events
}

@test "a file that is there is written anew" {
    start_server
    seq 1000000 >events
    run_ajob get --events events "$MAIN/f/a?size=10"
    assert_events events
    run_ajob get --events=dir/events "$MAIN/f/b?size=10"
    assert_failure 2
    assert_stderr 'ajob: get: --events: dir/events: No such file or directory'
    run_ajob get --events . "$MAIN/f/b?size=10"
    assert_failure 2
    assert_requests 0 /f/b # nothing was started
}

@test "a full disk loses events, says so, and fails a run that did well" {
    start_server
    run_ajob get --events /dev/full "$MAIN/f/a?size=10"
    assert_failure 1
    assert_tree . a # the work is done
    assert_stderr --partial 'ajob: events: /dev/full: No space left on device'
    "$AJOB" get --events - "$MAIN/f/c?size=10" >/dev/full 2>err 3>&- && status=0 || status=$?
    assert_equal "$status" 1
    assert_equal "$(grep -c 'No space left on device' err)" 1
    assert_exists c
}

@test "a reader that goes away ends the run by SIGPIPE, quietly" {
    start_server
    local urls=()
    for i in {1..300}; do urls+=("$MAIN/f/$i?size=10&delay=0.01"); done
    { "${AS_FROM_TERMINAL[@]}" "$AJOB" get -j 2 --events - "${urls[@]}" 2>err 3>&- || echo $? >code; } | head -n 3 >first
    assert_equal "$(<code)" 141
    assert_equal "$(<err)" "$(grep '^downloaded' err || true)" # no word about it
    assert_equal "$(events first True seq | tr '\n' ' ')" '1 2 3 '
    (($(count_requests) < 300))
    expect_part
}

@test "events are there while the run goes on" {
    start_server
    start_ajob get --events events "$MAIN/f/a?size=10" "$MAIN/f/b?size=10&latch=go"
    a_ended() { [[ $(events events 'event == "task.ended"' task 2>/dev/null) == a ]]; }
    wait_until 60 a_ended
    open_latch go
    wait_ajob
    assert_success
    assert_events events
}

@test "killed by SIGKILL, what is there is whole lines" {
    start_server
    start_ajob get --events events "$MAIN/f/a?size=10" "$MAIN/f/b?status=404" "$MAIN/f/c?size=10&latch=go"
    b_failed() { grep -q '"HTTP 404' events; }
    wait_until 60 b_failed
    kill -KILL "$AJOB_PID"
    expect_status 137
    wait_ajob
    assert_events events --cut
    expect_part
}

@test "a timeout, and fail-fast: causes tell who did it" {
    start_server
    b_is_there() { [[ -e b ]]; }
    with_time b_is_there run_ajob get --events events "$MAIN/f/a?latch=go" "$MAIN/f/b?size=5" --timeout
    assert_failure 124
    assert_stderr --partial "ajob: get: timeout $limit"
    refute_stderr --partial cancelling
    assert_events events
    assert_equal "$(events events 'event == "run.cancelling"' cause)" "timeout $limit"
    assert_equal "$(events events 'event == "task.ended"' task status cause | sort)" \
        $'a\tcancelled\tcancelled by timeout '"$limit"$'\nb\tsucceeded\tNone'
    assert_equal "$(events events 'event == "run.ended"' status cause exit)" $'timed_out\ttimeout '"$limit"$'\t124'
    run_ajob get --fail-fast -j 2 --events events "$MAIN/f/c?latch=go" "$MAIN/f/d?status=404" "$MAIN/f/e?size=5"
    assert_failure 1
    assert_events events
    assert_equal "$(events events 'event == "task.ended"' task status cause | sort)" "$(printf '%s\t%s\t%s\n' \
        c cancelled 'cancelled by sibling d' d failed 'HTTP 404 (Not Found)' e cancelled 'cancelled by sibling d')"
    assert_requests 0 /f/e
    open_latch go
}

@test "a reader of the events who takes nothing keeps no signal from being heard" {
    mkfifo pipe
    exec 8<>pipe
    start_ajob run --events pipe - 8>&- <<<'{"tasks": {"many": {"each": {"from": 1, "to": 2000}, "do": {}},
        "long": {"sh": "touch started; sleep 1000", "needs": "many"}}}'
    wait_until 60 test -e started
    expect_status 143
    kill -TERM "$AJOB_PID"
    wait_ajob
    assert_failure 143
    exec 8>&-
}
