# Signals that do not end a run (stop and go on, the tree), and runs inside of others:
# of ajob, of make.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

state_is() { # PID LETTER
    local stat
    stat=$(<"/proc/$1/stat") || return
    [[ ${stat##*) } == "$2"* ]]
}

# A command that says who it is, then waits until somebody opens the fifo `go`.
waiting='echo $$ >pid.new && mv pid.new pid && : >go && echo done'

start_waiting() { # OPTION...: as a shell's job, which somebody can let go on
    mkfifo go
    set -m
    start_ajob gather "$@" "$waiting"
    set +m
    wait_until 60 test -e pid
}

@test "SIGTSTP stops the commands and ajob, SIGCONT lets both go on" {
    start_waiting
    kill -TSTP "$AJOB_PID"
    wait_until 60 state_is "$AJOB_PID" T
    wait_until 60 state_is "$(<pid)" T
    kill -CONT "$AJOB_PID"
    cat go
    wait_ajob
    assert_success
    assert_line 'done'
}

@test "time that it was stopped counts for no timeout" {
    start_waiting --timeout 3s
    kill -TSTP "$AJOB_PID"
    wait_until 60 state_is "$AJOB_PID" T
    local until=$((${EPOCHREALTIME//[!0-9]/} + 3300000)) # it is time that is tested
    later() { ((${EPOCHREALTIME//[!0-9]/} > until)); }
    wait_until 60 later
    kill -CONT "$AJOB_PID"
    cat go
    wait_ajob
    assert_success
}

@test "what was stopped can be ended" {
    start_waiting
    kill -TSTP "$AJOB_PID"
    wait_until 60 state_is "$AJOB_PID" T
    kill -TERM "$AJOB_PID"
    kill -CONT "$AJOB_PID"
    expect_status 143
    wait_ajob
    assert_failure 143
}

@test "SIGTSTP where nobody could let it go on stops nothing" {
    AS_FROM_TERMINAL=(setsid "${AS_FROM_TERMINAL[@]}") # an orphaned process group
    run_ajob gather 'kill -TSTP $PPID; echo done'
    assert_success
    assert_output 'done'
}

@test "signals that the caller has blocked are heard" {
    AS_FROM_TERMINAL+=(--block-signal=CHLD,INT,TERM,HUP)
    run_ajob gather 'exit 3'
    assert_failure 1
    start_waiting
    expect_status 143
    kill -TERM "$AJOB_PID"
    wait_ajob
    assert_failure 143
}

# A pipe that nobody reads, full, as descriptor 9.
fill_pipe() {
    mkfifo full
    exec 9<>full
    head -c 65536 /dev/zero >&9
}

@test "a reader of standard error that stands still does not hold up an end" {
    fill_pipe
    "$AJOB" gather --timeout 10ms 'sleep 1000' 2>&9 3>&- && status=0 || status=$?
    assert_equal "$status" 124
    mkfifo go
    "${AS_FROM_TERMINAL[@]}" "$AJOB" gather "$waiting" 2>&9 3>&- &
    AJOB_PID=$!
    wait_until 60 test -e pid
    kill -TERM "$AJOB_PID"
    wait_until 60 process_over "$AJOB_PID"
    wait "$AJOB_PID" && status=0 || status=$?
    assert_equal "$status" 143
}

@test "what waits for a reader of standard error after the run can be ended" {
    fill_pipe
    "${AS_FROM_TERMINAL[@]}" "$AJOB" gather 'echo $$ >pid.new && mv pid.new pid' 2>&9 3>&- &
    AJOB_PID=$!
    wait_until 60 test -e pid
    wait_until 60 process_over "$(<pid)"
    process_over "$AJOB_PID" && fail "it did not wait"
    kill -TERM "$AJOB_PID"
    wait_until 60 process_over "$AJOB_PID"
    wait "$AJOB_PID" && status=0 || status=$?
    assert_equal "$status" 143
}

@test "SIGUSR1 tells the tree of what has not ended" {
    mkfifo go
    start_ajob gather -j 1 --name first --name second --timeout 100s "$waiting" true
    wait_until 60 test -e pid
    kill -USR1 "$AJOB_PID"
    wait_until 60 grep -q second "$AJOB_ERR"
    cat go
    wait_ajob
    assert_success
    assert_stderr --regexp "first  sh running for [0-9a-z]+  pid $(<pid)"
    assert_stderr --regexp 'second  sh ready for [0-9a-z]+  waits for a slot of commands'
}

@test "an ajob in an ajob: a signal to the outer one ends all" {
    for signal in INT TERM HUP; do
        rm -f pid
        start_ajob gather "'$AJOB' gather 'echo \$\$ >pid.new; mv pid.new pid; exec sleep 1000'"
        wait_until 60 test -e pid
        expect_status "$((128 + $(kill -l "$signal")))"
        kill -"$signal" "$AJOB_PID"
        wait_ajob
        assert_failure "$((128 + $(kill -l "$signal")))"
        assert_equal "$(test_processes)" ""
    done
}

@test "an ajob in an ajob: SIGKILL of either leaves nothing" {
    for depth in outer inner; do
        rm -f pid inner
        start_ajob gather "echo \$\$ >inner; exec '$AJOB' gather 'echo \$\$ >pid.new; mv pid.new pid; exec sleep 1000'"
        wait_until 60 test -e pid
        if [[ $depth == outer ]]; then
            kill -KILL "$AJOB_PID"
            expect_status 137
        else
            kill -KILL "$(<inner)"
        fi
        wait_ajob
        wait_until 60 no_test_processes
        [[ $depth == outer ]] || assert_stderr --partial 'signal KILL'
    done
}

@test "under make, Ctrl-C for both" {
    printf 'all:\n\t@%s gather %s\n' "$AJOB" "'echo \$\$\$\$ >pid.new; mv pid.new pid; sleep 1000 & wait'" >Makefile
    setsid "${AS_FROM_TERMINAL[@]}" make >/dev/null 2>make.err 3>&- &
    local make=$!
    wait_until 60 test -e pid
    kill -INT -- "-$make"
    wait "$make" || true
    wait_until 60 no_test_processes
}
