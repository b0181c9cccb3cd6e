# Services: when they are ready, when they are stopped, what becomes of those that fail.

load ../helpers

# serve NAME [COMMAND] is a service: it says in the log that it runs, does the command
# (it becomes ready by that), and stays until it is told to stop.
setup() {
    common_setup
    export LOG=$WORK/log
    cat >serve <<'END'
name=$1
trap 'echo "$name stops" >>"$LOG"; exit 9' TERM
echo "$name runs" >>"$LOG"
eval "${2-}"
while :; do sleep 600 & wait; done
END
}
teardown() { common_teardown; }

# tasks JSON: the spec ci.json; %S in it stands for the program serve
tasks() { printf '{"tasks": {%s}}\n' "${1//%S/\"sh\", \"$WORK/serve\"}" >ci.json; }

# log: what was said, in one line
log() { paste -sd' ' log; }

# story: what happened to tasks, in its order, as NAME:WHAT
story() {
    events events 'task' event task status cause | while IFS=$'\t' read -r event task status cause; do
        case $event in
        task.ended) [[ $cause == None ]] && echo "$task:$status" || echo "$task:$status ($cause)" ;;
        *) echo "$task:${event#task.}" ;;
        esac
    done | paste -sd';' | sed 's/;/; /g'
}

# run_limited TIME: of the spec in which that is called LIMIT
run_limited() {
    sed "s/LIMIT/$1/" ci.json >limited.json
    rm -f log
    run_ajob run limited.json --events events
}

has_log() { grep -qx "$1" log 2>/dev/null; }

# As long as several looks of a probe take.
ask_often() { for i in {1..10}; do "$PYTHON" -c 'pass'; done; }

# open_gate: lets `read x <gate` of a service go on
open_gate() { echo >gate; }

# gated READY COMMAND [MORE]: a service that becomes ready by COMMAND, once the gate is
# open, and its user; MORE of the service's JSON.
gated() {
    [[ -e gate ]] || mkfifo gate
    echo "$2" >become
    tasks '"db": {"service": [%S, "db", "read x <gate; . ./become"], "ready": '"$1${3:+, $3}"'},
           "user": {"sh": "echo user runs >>log", "needs": ["db"]}'
    start_ajob run ci.json --events events
    wait_until "$WAIT_LIMIT" has_log 'db runs'
    # Looks at the service take this long several times over; nobody calls it ready.
    ask_often
    assert_equal "$(events events 'event == "task.ready" or task == "user"')" ""
    open_gate
    wait_ajob
    assert_success
    assert_equal "$(story)" 'db:started; db:ready; user:started; user:succeeded; db:succeeded'
    assert_equal "$(log)" 'db runs user runs db stops'
    assert_events events
}

# --- being ready -------------------------------------------------------------

@test "without a probe a service is ready as soon as it runs" {
    tasks '"db": {"service": [%S, "db"]},
           "user": {"sh": "until grep -q db log; do sleep 0.01; done; echo user runs >>log", "needs": ["db"]}'
    run_ajob run ci.json --events events
    assert_success
    assert_equal "$(story)" 'db:started; db:ready; user:started; user:succeeded; db:succeeded'
    assert_equal "$(log)" 'db runs user runs db stops'
}

@test "fd: ready when it has written a line to the descriptor, which is the value" {
    gated '{"fd": 4}' 'printf por >&4; printf "t 80\nmore\n" >&4'
    assert_equal "$(events events 'event == "task.ready"' value)" "port 80"
}

@test "fd: a descriptor that is closed without a line says nothing" {
    tasks '"db": {"service": [%S, "db", "printf value >&3; exec 3>&-"], "ready": {"fd": 3}, "timeout": "300ms"},
           "user": {"sh": "echo user runs >>log", "needs": ["db"]}'
    run_ajob run ci.json --events events
    assert_failure 1
    assert_equal "$(story)" 'db:started; db:timed_out (timeout 300ms); user:skipped (db: timeout 300ms)'
}

@test "line: ready when a line that came in two writes matches" {
    gated '{"line": "^ready on [0-9]+$"}' 'echo ready; printf "ready on "; sleep 0.1; echo 80'
}

@test "line: standard error counts, and so do lines after very long ones" {
    gated '{"line": "^ready$"}' 'head -c 300000 /dev/zero | tr "\0" x >&2; printf "ready\nready\n" >&2'
}

@test "tcp: ready when the port accepts, by address and by name" {
    local port
    for host in 127.0.0.1 localhost; do
        rm -f log gate
        port=$(free_ports 1)
        cat >listen.py <<END
import socket
s = socket.create_server(("127.0.0.1", $port))
while True:
    s.accept()
END
        gated "{\"tcp\": \"$host:$port\"}" "$PYTHON listen.py &"
    done
}

@test "http: ready when the server answers with a status from 200 to 399" {
    start_server
    tasks '"db": {"service": [%S, "db"], "ready": {"http": "'"$MAIN"'/f/health?status=503&times=3", "interval": "10ms"}},
           "user": {"sh": "echo user runs >>log", "needs": ["db"]}'
    run_ajob run ci.json --events events
    assert_success
    assert_equal "$(story)" 'db:started; db:ready; user:started; user:succeeded; db:succeeded'
    assert_requests 4 /f/health
}

@test "http: a server that hangs does not make it ready" {
    start_server
    tasks '"db": {"service": [%S, "db"], "ready": {"http": "'"$MAIN"'/f/x?latch=never"}, "timeout": "300ms"},
           "user": {"sh": "echo user runs >>log", "needs": ["db"]}'
    run_ajob run ci.json --events events
    assert_failure 1
    assert_equal "$(events events 'event == "task.ended"' task status)" $'db\ttimed_out\nuser\tskipped'
    open_latch never
}

@test "file: ready when the file exists, from the service's directory" {
    mkdir sub
    ln -s ../gate ../become sub/
    gated '{"file": "is-ready"}' 'touch is-ready' '"dir": "sub"'
}

@test "exec: ready when the command succeeds, in the service's environment and directory" {
    gated '{"exec": ["sh", "-c", "test $COLOR = red && test -e is-ready"]}' 'touch is-ready' '"env": {"COLOR": "red"}, "dir": "."'
}

@test "exec: a command that cannot be run is told once" {
    tasks '"db": {"service": [%S, "db"], "ready": {"exec": ["./no-such-probe"], "interval": "10ms"}, "timeout": "300ms"},
           "user": {"sh": "true", "needs": ["db"]}'
    run_ajob run ci.json --events events
    assert_failure 1
    assert_equal "$(events events 'event == "task.note"' task text)" \
        $'db\tits readiness cannot be found out: not found: ./no-such-probe'
}

@test "exec: a command that hangs is gone when the service has ended" {
    tasks '"db": {"service": [%S, "db"], "ready": {"exec": ["sh", "-c", "trap : TERM; echo probes >>log; sleep 600 & wait; wait; sleep 600"]}, "timeout": "LIMIT"},
           "user": {"sh": "true", "needs": ["db"]}'
    with_time 'has_log probes' run_limited
    assert_failure 1
    assert_equal "$(grep -c probes log)" 1
    assert_equal "$(story)" "db:started; db:timed_out (timeout $limit); user:skipped (db: timeout $limit)"
}

@test "one that is never ready times out, whatever it is asked" {
    local ready port
    port=$(free_ports 1)
    for ready in '{"fd": 3}' '{"line": "x"}' "{\"tcp\": \"127.0.0.1:$port\"}" "{\"http\": \"http://127.0.0.1:$port/\"}" \
        '{"file": "missing"}' '{"exec": ["false"]}'; do
        rm -f log
        tasks '"db": {"service": [%S, "db"], "ready": '"$ready"', "timeout": "LIMIT"},
               "user": {"sh": "echo user runs >>log", "needs": ["db"]}'
        with_time 'has_log db.stops' run_limited
        assert_failure 1
        assert_equal "$(story)" "db:started; db:timed_out (timeout $limit); user:skipped (db: timeout $limit)"
        assert_equal "$(log)" 'db runs db stops'
    done
}

# --- ending by itself --------------------------------------------------------

@test "one that ends before it is ready has failed, with exit 0 too" {
    for end in 'exit 0' 'exit 1' 'kill -KILL $$'; do
        tasks '"db": {"service": "'"$end"'", "ready": {"fd": 3}},
               "user": {"sh": "echo user runs >>log", "needs": ["db"]}'
        run_ajob run ci.json --events events
        assert_failure 1
        [[ $end != kill* ]] || end='signal KILL'
        assert_equal "$(story)" \
            "db:started; db:failed (ended before it was ready: $end); user:skipped (db failed: ended before it was ready: $end)"
    done
    refute_exists log
}

@test "one that cannot be run has failed with that cause" {
    tasks '"db": {"service": ["./no-such-program"]}, "user": {"sh": "true", "needs": ["db"]}'
    run_ajob run ci.json --events events
    assert_failure 1
    assert_equal "$(story)" 'db:started; db:failed (not found: ./no-such-program); user:skipped (db failed: not found: ./no-such-program)'
}

@test "one that ends while it is needed has failed, and what needs it is cancelled" {
    tasks '"db": {"service": "echo >&3; until grep -q user log; do sleep 0.01; done; exit 1", "ready": {"fd": 3}, "retry": 3},
           "user": {"exec": [%S, "user"], "needs": ["db"]}'
    run_ajob run ci.json --events events
    assert_failure 1
    assert_equal "$(story)" "db:started; db:ready; user:started; db:failed (ended while it was needed: exit 1); user:cancelled (cancelled by sibling db)"
    assert_equal "$(log)" 'user runs user stops'
}

@test "one that fails before it is ready is started again, as often as retry says" {
    tasks '"db": {"service": "echo try >>log; test $(grep -c try log) -ge 3 || exit 1; exec sh serve db \"echo >&3\"", "ready": {"fd": 3},
                  "retry": {"max": 2, "delay": "1ms"}},
           "user": {"sh": "echo user runs >>log", "needs": ["db"]}'
    run_ajob run ci.json --events events
    assert_success
    assert_equal "$(story)" 'db:started; db:retrying; db:started; db:retrying; db:started; db:ready; user:started; user:succeeded; db:succeeded'
    assert_equal "$(log)" 'try try try db runs user runs db stops'
    rm log
    sed -i 's/"max": 2/"max": 1/' ci.json
    run_ajob run ci.json --events events
    assert_failure 1
    assert_equal "$(log)" 'try try'
}

@test "a probe begins anew with each attempt" {
    # The first attempt's line and value are not the second one's.
    tasks '"db": {"service": "echo try >>log; printf rea; test $(grep -c try log) -ge 2 || exit 1; echo; exec sh serve db", "ready": {"line": "^rearea$"},
                  "retry": {"max": 1, "delay": "1ms"}, "timeout": "400ms"},
           "user": {"sh": "echo user runs >>log", "needs": ["db"]}'
    run_ajob run ci.json --events events
    assert_failure 1
    assert_equal "$(events events 'task == "db" and event == "task.ended"' cause)" 'timeout 400ms'
}

# --- being stopped -----------------------------------------------------------

@test "one that stops slowly has the grace; then it is killed, and has succeeded" {
    tasks '"db": {"service": [%S, "db", "trap : TERM; echo >&3"], "ready": {"fd": 3}},
           "user": {"sh": "echo user runs >>log", "needs": ["db"]}'
    run_ajob run ci.json --events events --grace 200ms
    assert_success
    assert_equal "$(events events 'task == "db" and event == "task.ended"' status signal)" $'succeeded\tKILL'
    assert_equal "$(log)" 'db runs user runs'
}

@test "services stop in the reverse order of their needs" {
    tasks '"web": {"service": [%S, "web", "trap \"sleep 0.1; echo web stops >>log; exit\" TERM; echo >&3"], "ready": {"fd": 3}, "needs": ["db"]},
           "db": {"service": [%S, "db", "echo >&3"], "ready": {"fd": 3}},
           "user": {"sh": "echo user runs >>log", "needs": ["web"]}'
    run_ajob run ci.json --events events
    assert_success
    assert_equal "$(story)" 'db:started; db:ready; web:started; web:ready; user:started; user:succeeded; web:succeeded; db:succeeded'
    assert_equal "$(log)" 'db runs web runs user runs web stops db stops'
}

@test "one that nothing needs lives as long as the other tasks of its group" {
    tasks '"db": {"service": [%S, "db", "echo >&3"], "ready": {"fd": 3}},
           "other": {"sh": "until grep -q db log; do sleep 0.01; done; echo other runs >>log"}'
    run_ajob run ci.json --events events
    assert_success
    assert_equal "$(log)" 'db runs other runs db stops'
}

@test "one that is ready holds no slot" {
    tasks '"db": {"service": [%S, "db", "echo >&3"], "ready": {"fd": 3}},
           "user": {"sh": "echo user runs >>log", "needs": ["db"]}'
    run_ajob run ci.json -j 1
    assert_success
    assert_equal "$(log)" 'db runs user runs db stops'
}

# --- signals -----------------------------------------------------------------

@test "Ctrl-C while it is ready: it stops after what needs it" {
    tasks '"db": {"service": [%S, "db", "echo >&3"], "ready": {"fd": 3}},
           "user": {"exec": [%S, "user"], "needs": ["db"]}'
    start_ajob run ci.json --events events
    wait_until "$WAIT_LIMIT" has_log 'user runs'
    expect_status 130
    kill -INT "$AJOB_PID"
    wait_ajob
    assert_failure 130
    assert_equal "$(log)" 'db runs user runs user stops db stops'
    assert_equal "$(events events 'event == "task.ended"' task status)" $'user\tcancelled\ndb\tcancelled'
    assert_events events
}

@test "Ctrl-C while it starts: it stops, and its probe with it" {
    for ready in '{"tcp": "localhost:1"}' '{"exec": ["sleep", "600"]}' '{"fd": 3}' '{"line": "x"}'; do
        rm -f log
        tasks '"db": {"service": [%S, "db"], "ready": '"$ready"'},
               "user": {"sh": "echo user runs >>log", "needs": ["db"]}'
        start_ajob run ci.json --events events
        wait_until "$WAIT_LIMIT" has_log 'db runs'
        expect_status 130
        kill -INT "$AJOB_PID"
        wait_ajob
        assert_failure 130
        assert_equal "$(log)" 'db runs db stops'
        assert_equal "$(test_processes)" ""
    done
}

@test "a second Ctrl-C kills it at once" {
    tasks '"db": {"service": [%S, "db", "trap \"echo told >>log\" TERM; echo >&3"], "ready": {"fd": 3}},
           "user": {"sh": "echo user runs >>log; exec sleep 600", "needs": ["db"]}'
    start_ajob run ci.json --events events --grace 60s
    wait_until "$WAIT_LIMIT" has_log 'user runs'
    expect_status 130
    kill -INT "$AJOB_PID"
    wait_until "$WAIT_LIMIT" has_log told
    kill -INT "$AJOB_PID"
    wait_ajob
    assert_failure 130
    assert_equal "$(events events 'task == "db" and event == "task.ended"' status signal)" $'cancelled\tKILL'
}

# --- what is wrong -----------------------------------------------------------

@test "a probe that makes no sense starts nothing" {
    local wrong
    for wrong in '{"line": "a("}' '{"tcp": "localhost"}' '{"tcp": "localhost:0"}' '{"http": "https://localhost/"}' \
        '{"fd": 2}' '{"fd": 256}' '{"exec": []}' '{"file": ""}' '{}' '{"tcp": "a:${env.AJOB_TEST_ID}"}'; do
        tasks '"first": "echo first runs >>log", "db": {"service": [%S, "db"], "ready": '"$wrong"'}, "user": {"sh": "true", "needs": ["db"]}'
        run_ajob run ci.json
        assert_failure 2
        [[ $stderr =~ db|ready|line|tcp|http|fd|exec|file ]] || fail_with_output "says nothing of it"
    done
    refute_exists log
}
