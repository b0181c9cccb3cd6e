# Nothing that a command started outlives the run: Ctrl-C, time, the end, even the
# death of ajob itself. That nothing is left is what every teardown looks at; here it
# is also looked at when ajob has just ended.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

ended() { events events 'event == "task.ended"' task "$@" | sort; }

rows() { printf '%s\n' "$@"; }

# end_by SIGNAL...: sends AJOB_PID these, and expects it dead by the first, with
# nothing left. That no grace was waited for is seen where that is longer than tests wait.
end_by() {
    local code
    code=$((128 + $(kill -l "$1")))
    expect_status "$code"
    local name
    for name in "$@"; do
        kill -"$name" "$AJOB_PID" || true
    done
    wait_ajob
    assert_equal "$(describe_processes "$(test_processes)")" ""
    assert_failure "$code"
}

all_exist() {
    local name
    for name in "$@"; do
        [[ -e $name ]] || return
    done
}

# started NAME...: waits until a command has made these files
started() { wait_until 60 all_exist "$@"; }

@test "Ctrl-C: commands are told by SIGTERM and end; ajob dies by its signal" {
    for signal in INT TERM HUP; do
        start_ajob gather --grace 1000s --events events 'touch a; exec sleep 1000' 'touch b; sleep 1000; true'
        started a b
        end_by $signal
        assert_events events
        assert_equal "$(ended status cause signal)" "$(rows $'1\tcancelled\tcancelled by SIG'"$signal"$'\tTERM' $'2\tcancelled\tcancelled by SIG'"$signal"$'\tTERM')"
        rm a b
    done
}

@test "a command that takes SIGTERM well or ill was cancelled all the same" {
    start_ajob gather --grace 1000s --events events 'trap "exit 0" TERM; touch a; while :; do sleep 0.01; done' \
        'trap "exit 7" TERM; touch b; while :; do sleep 0.01; done'
    started a b
    end_by INT
    assert_equal "$(ended status exit)" "$(rows $'1\tcancelled\t0' $'2\tcancelled\t7')"
}

@test "one that ignores SIGTERM is killed after the grace" {
    start_ajob gather --grace 300ms --events events 'trap "" TERM; touch a; while :; do sleep 0.01; done'
    started a
    end_by INT
    assert_equal "$(ended status signal)" $'1\tcancelled\tKILL'
    # In that time, not after those 5 s that are the default.
    events events 'event in ("run.cancelling", "run.ended")' time | "$PYTHON" -c '
from datetime import datetime
began, ended = [datetime.strptime(input(), "%Y-%m-%dT%H:%M:%S.%fZ") for _ in range(2)]
assert 0.3 <= (ended - began).total_seconds() < 4.9'
}

@test "a second signal kills at once, grace or not" {
    start_ajob gather --grace 1000s --events events 'trap "" TERM; touch a; while :; do sleep 0.01; done' \
        'trap "" TERM; setsid sh -c "trap \"\" TERM; touch b; while :; do sleep 0.01; done"'
    started a b
    kill -INT "$AJOB_PID"
    cancelling() { grep -q run.cancelling events; }
    wait_until 60 cancelling
    end_by INT
}

@test "a background job of the shell, which ignores SIGINT" {
    start_ajob gather --grace 1000s 'sleep 1000 & touch a; wait'
    started a
    end_by INT
}

@test "children of children of children" {
    start_ajob gather --grace 1000s 'sh -c "sh -c \"sleep 1000 & touch a; wait\" & sleep 1000; true"'
    started a
    end_by TERM
}

@test "one that has stopped itself is told, too" {
    start_ajob gather --grace 1000s 'trap "touch told; exit" TERM; echo $$ >a.new; mv a.new a; kill -STOP $$; sleep 1000'
    started a
    is_stopped() { grep -qE '\) T ' "/proc/$(<a)/stat"; }
    wait_until 60 is_stopped
    end_by INT
    assert_exists told
}

@test "what is in a session of its own" {
    start_ajob gather --grace 1000s 'setsid sleep 1000' 'setsid sh -c "touch a; exec sleep 1000" & sleep 1000' 'touch b; exec sleep 1000'
    started a b
    end_by INT
}

@test "what is in a session of its own and ignores SIGTERM is killed after the grace" {
    start_ajob gather --grace 300ms 'setsid sh -c "trap \"\" TERM; touch a; while :; do sleep 0.01; done" & sleep 1000'
    started a
    end_by INT
}

@test "daemons of daemons" {
    start_ajob gather --grace 1000s 'setsid sh -c "setsid sh -c \"setsid sleep 1000 & touch a; sleep 1000\" & sleep 1000" & sleep 1000'
    started a
    end_by INT
}

@test "what stands in a session of its own at a good end" {
    run_ajob gather 'setsid sh -c "touch a; exec sleep 1000" >&- 2>&- & until test -e a; do sleep 0.01; done'
    assert_success
    assert_equal "$(describe_processes "$(test_processes)")" ""
}

@test "the children that ajob had before are not its own, nor what they leave to it" {
    cat >caller <<'END'
stay() { unset AJOB_TEST_ID; cd /; exec >&- 2>&- 3>&-; exec "$@"; }
stay sleep 1000 & echo $! >one
stay setsid sleep 1000 & echo $! >two
(
    until test -e go; do sleep 0.01; done
    stay sleep 1000 & echo $! >three
) &
exec "$AJOB" gather 'touch go; until test -s three; do sleep 0.01; done
    until grep -qx "PPid:.$PPID" /proc/$(cat three)/status; do sleep 0.01; done' 'setsid sleep 1000 >&- 2>&- &'
END
    run bash caller 3>&-
    assert_success
    assert_equal "$(describe_processes "$(test_processes)")" ""
    kill "$(<one)"
    kill "$(<two)"
    kill "$(<three)"
}

# ---- what is left in the process group -------------------------------------------------

@test "what holds on to the output is waited for, two seconds at most, and stopped" {
    run_ajob gather --events events 'sleep 1000 & exit 3'
    assert_failure 1
    assert_equal "$(ended status cause)" $'1\tfailed\texit 3'
    assert_equal "$(describe_processes "$(test_processes)")" ""
    events events 'event == "task.ended" and 1.9 < duration < 20' task | grep -q 1
}

@test "what ends within that time ends by itself" {
    run_ajob gather '(sleep 0.3; touch done) & true'
    assert_success
    assert_exists done
}

@test "what does not hold on to the output is stopped at once" {
    run_ajob gather --events events 'sh -c "trap \"touch told; exit\" TERM; touch a; while :; do sleep 0.01; done" >&- 2>&- & until test -e a; do sleep 0.01; done'
    assert_success
    assert_exists told
    assert_equal "$(describe_processes "$(test_processes)")" ""
}

@test "what ignores SIGTERM there is killed after the grace" {
    run_ajob gather --grace 300ms 'sh -c "trap \"\" TERM; touch a; while :; do sleep 0.01; done" >&- 2>&- & until test -e a; do sleep 0.01; done'
    assert_success
    assert_equal "$(describe_processes "$(test_processes)")" ""
}

@test "Ctrl-C while what is left is waited for" {
    start_ajob gather --grace 1000s --events events 'sleep 1000 & touch a'
    started a
    end_by INT
}

# ---- the death of ajob itself -----------------------------------------------------------

@test "SIGKILL of ajob: a second later its commands are gone" {
    start_ajob gather --grace 1000s 'touch a; exec sleep 1000' 'sleep 1000 & touch b; wait' 'trap "" TERM HUP; touch c; while :; do sleep 0.01; done'
    started a b c
    expect_status 137
    kill -KILL "$AJOB_PID"
    wait_ajob
    wait_until 60 no_test_processes
}

@test "SIGKILL of ajob in the midst of spawning" {
    local commands=()
    for i in {1..300}; do
        commands+=('exec sleep 1000')
    done
    for round in 1 2 3 4 5; do
        start_ajob gather --grace 1000s --events events "${commands[@]}"
        some_have_started() { (($(grep -c task.started events) > 20 * round)); }
        wait_until 60 some_have_started
        expect_status 137
        kill -KILL "$AJOB_PID"
        wait_ajob
        wait_until 60 no_test_processes
    done
}

@test "nobody else holds on to the output of ajob, and nothing of it stays" {
    "$AJOB" gather true 2>&1 3>&- | cat >all
    start_ajob gather --grace 1000s 'touch a; sleep 1000'
    started a
    watcher() { grep -lxE 'Name:\s*ajob-watchdog' /proc/[0-9]*/status 2>/dev/null | while IFS=/ read -r _ _ pid _; do
        [[ $(awk '/^PPid:/ {print $2}' "/proc/$pid/status") != "$AJOB_PID" ]] || echo "$pid"
    done; }
    pid=$(watcher)
    [[ $pid ]]
    assert_equal "$(ls "/proc/$pid/fd")" 0
    kill -TERM "$pid"
    kill -INT "$pid"
    end_by TERM
}

# ---- many, and jobs in the terminal -----------------------------------------------------

@test "five hundred at once, and Ctrl-C" {
    local commands=()
    for i in {1..500}; do
        commands+=('sleep 1000 & wait')
    done
    start_ajob gather --grace 1000s --events events "${commands[@]}"
    all_have_started() { (($(grep -c task.started events) == 500)); }
    wait_until 60 all_have_started
    end_by INT
    assert_events events
    assert_equal "$(ended status | cut -f 2 | sort | uniq -c | xargs)" '500 cancelled'
}

@test "SIGTSTP suspends the commands too, and SIGCONT wakes them" {
    start_ajob gather --grace 1000s 'echo $$ >pid; exec sleep 1000'
    wait_until 60 test -s pid
    local pid
    pid=$(<pid)
    state_is() { [[ $(awk '{print $3}' "/proc/$1/stat") == [$2] ]]; }
    wait_until 60 grep -q sleep "/proc/$pid/comm"
    kill -TSTP "$AJOB_PID"
    wait_until 60 state_is "$pid" T
    wait_until 60 state_is "$AJOB_PID" T
    kill -CONT "$AJOB_PID"
    wait_until 60 state_is "$pid" S
    end_by INT
}

@test "what has exited before its timeout keeps its own end, though others hold its pipes" {
    run_ajob run --events events - <<<'{"policy": "settled", "tasks": {
        "bad": {"timeout": "1800ms", "sh": "sleep 1000 & exit 3"},
        "good": {"attempt_timeout": "1800ms", "sh": "sleep 1000 & exit 0"}}}'
    assert_failure 1
    assert_equal "$(events events 'event == "task.ended"' task status cause | sort)" \
        "$(printf '%s\n' $'bad\tfailed\texit 3' $'good\tsucceeded\tNone')"
}

@test "what has exited while ajob was stopped, before its timeout, has not timed out" {
    mkfifo go
    start_ajob run --events events - <<<'{"tasks": {"a": {"timeout": "2s", "sh": "echo $$ >pid.new; mv pid.new pid; read -r line <go; exit 3"}}}'
    wait_until 60 test -e pid
    kill -STOP "$AJOB_PID"
    echo >go
    wait_until 60 process_over "$(<pid)"
    local until=$((${EPOCHREALTIME//[!0-9]/} + 2100000)) # it is time that is tested
    later() { ((${EPOCHREALTIME//[!0-9]/} > until)); }
    wait_until 60 later
    kill -CONT "$AJOB_PID"
    wait_ajob
    assert_failure 1
    assert_equal "$(events events 'event == "task.ended"' status cause)" $'failed\texit 3'
}
