# Commands: what they get, how they end, and what is said about that. With gather, any
# and race, whose commands are lines for the shell.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# ended FIELD...: of each task.ended in the file events, by task
ended() { events events 'event == "task.ended"' task "$@" | sort; }

rows() { printf '%s\n' "$@"; }

@test "a command that exits with 0 has succeeded" {
    run_ajob gather --events events 'echo hi >a'
    assert_success
    assert_equal "$(<a)" hi
    assert_events events
    assert_equal "$(ended status exit signal attempts)" $'1\tsucceeded\t0\tNone\t1'
}

@test "another exit status is a failure, and the cause" {
    for code in 1 3 77 255; do
        expect_status "$code"
        run_ajob gather --events events "exit $code"
        assert_failure 1
        assert_equal "$(ended status cause exit)" $'1\tfailed\texit '"$code"$'\t'"$code"
        run_ajob gather --exit-code first "exit $code"
        assert_failure "$code"
    done
}

@test "a signal that ends a command is the cause, and not its exit status" {
    for name in SEGV KILL TERM ABRT; do
        expect_status "$((128 + $(kill -l "$name")))"
        run_ajob gather --exit-code first --events events "kill -$name \$\$"
        assert_failure "$((128 + $(kill -l "$name")))"
        assert_equal "$(ended status cause exit signal)" "$(printf '1\tfailed\tsignal %s\tNone\t%s' $name $name)"
    done
}

@test "what the shell cannot find or run is its failure" {
    expect_status 126 127
    run_ajob gather --exit-code first ./missing
    assert_failure 127
    touch not-executable
    run_ajob gather --exit-code first ./not-executable
    assert_failure 126
}

@test "the pid is in the events, and it leads a group of its own" {
    run_ajob gather --events events 'read -r pid _ _ _ group _ </proc/$$/stat; echo $pid $group >ids'
    assert_success
    read -r pid group <ids
    assert_equal "$group" "$pid"
    assert_equal "$(events events 'event == "task.started"' pid)" "$pid"
}

@test "it has no terminal, also where ajob has one, and learns that at once" {
    cat >on-terminal.py <<'END'
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
END
    local command='read -r pid _ _ _ group session _ </proc/$$/stat; test $session = $pid || exit 4
        if (read -r _ </dev/tty) 2>/dev/null; then exit 3; fi'
    run "$PYTHON" on-terminal.py "$AJOB" gather "$command" </dev/null 3>&-
    assert_success
    run setsid --wait "$AJOB" gather 'if (read -r _ </dev/tty) 2>/dev/null; then exit 3; fi' 3>&-
    assert_success
}

@test "its standard input is empty, whatever that of ajob is" {
    run_ajob gather 'wc -c >count; readlink /proc/self/fd/0 >name' < <(echo something)
    assert_success
    assert_equal "$(tr -d ' ' <count)" 0
    assert_equal "$(<name)" /dev/null
}

@test "it has no descriptor but its own three" {
    # shellcheck disable=SC2016
    local list='for i in $(seq 0 99); do test ! -e /proc/self/fd/$i || all="$all $i"; done; echo $all'
    run_ajob gather "$list >alone" 5<"$BATS_TEST_FILENAME" 7>kept 31>kept
    assert_success
    assert_equal "$(<alone)" "0 1 2"
    mkfifo go
    run_ajob gather --events events 'read -r line <go' 'sleep 1000' "$list >among; echo >go; exit 1" 5<"$BATS_TEST_FILENAME" 7>kept 31>kept
    assert_equal "$(<among)" "0 1 2"
}

@test "no signal is ignored or blocked in it" {
    # 32 and 33 are the C library's, and nobody can change them.
    signals() { echo $((0x$(awk '/Ign/ {print $2}' signals) & ~0x180000000 | 0x$(awk '/Blk/ {print $2}' signals))); }
    run_ajob gather 'grep -E "^Sig(Blk|Ign)" /proc/self/status >signals'
    assert_success
    assert_equal "$(signals)" 0
    env --ignore-signal=HUP,USR2 --block-signal=USR1 "$AJOB" gather 'grep -E "^Sig(Blk|Ign)" /proc/self/status >signals' 3>&-
    assert_equal "$(signals)" 0
}

@test "its bytes come as they were given" {
    local script=$'printf %s \'a  b\n"c" $HOME `d` \\ -e \xff\xfe *\' >bytes'
    run_ajob gather "$script"
    assert_success
    printf %s $'a  b\n"c" $HOME `d` \\ -e \xff\xfe *' | cmp - bytes
    run_ajob gather -- '-x' 'true'
    assert_failure 1
}

@test "it runs in the directory that --dir says, which must be there" {
    mkdir here
    run_ajob gather -d here 'pwd >where'
    assert_success
    assert_equal "$(<here/where)" "$WORK/here"
    run_ajob gather -d nowhere 'touch started'
    assert_failure 2
    assert_stderr 'ajob: gather: --dir: nowhere: No such file or directory'
    touch file
    run_ajob gather -d file 'touch started'
    assert_failure 2
    assert_stderr 'ajob: gather: --dir: file: is not a directory'
    refute_exists started
}

@test "its limit on files is the caller's" {
    ulimit -Sn 128
    # More at once than that is enough for.
    local commands=()
    for i in {1..80}; do
        commands+=("ulimit -Sn >limit.$i; read -r line <go.$i || :")
        mkfifo "go.$i"
    done
    start_ajob gather "${commands[@]}"
    for i in {1..80}; do
        echo >"go.$i"
    done
    wait_ajob
    assert_success
    assert_equal "$(cat limit.* | sort -u)" 128
}

# ---- gather, any, race ------------------------------------------------------------

@test "gather: all of them at once" {
    mkfifo a b
    run_ajob gather 'echo >a; read -r line <b' 'read -r line <a; echo >b'
    assert_success
}

@test "gather: the first failure stops the others, which are no failures" {
    mkfifo started
    run_ajob gather --events events --name one --name two --name three \
        'echo >started; exec sleep 1000' 'read -r line <started; exit 4' 'sleep 1000'
    assert_failure 1
    assert_events events
    assert_equal "$(ended status cause)" "$(rows $'one\tcancelled\tcancelled by sibling two' \
        $'three\tcancelled\tcancelled by sibling two' $'two\tfailed\texit 4')"
    assert_equal "$(ended signal)" "$(rows $'one\tTERM' $'three\tTERM' $'two\tNone')"
}

@test "gather: several failures are all told, and the first one decides" {
    expect_status 5
    mkfifo a b
    # Both go on when they are told to stop, and fail then.
    run_ajob gather --exit-code first --events events \
        'trap "exit 6" TERM; echo >a; while :; do sleep 0.01; done' \
        'trap "exit 7" TERM; echo >b; while :; do sleep 0.01; done' \
        'read -r line <a; read -r line <b; exit 5'
    assert_failure 5
    assert_equal "$(ended status exit)" "$(rows $'1\tcancelled\t6' $'2\tcancelled\t7' $'3\tfailed\t5')"
    run_ajob gather -k --events events 'exit 1' 'exit 2' 'exit 3' true
    assert_failure 1
    assert_equal "$(ended status cause)" "$(rows $'1\tfailed\texit 1' $'2\tfailed\texit 2' $'3\tfailed\texit 3' $'4\tsucceeded\tNone')"
}

@test "gather --keep-going: all run, failures or not" {
    run_ajob gather -k 'exit 1' 'sleep 0.1; touch second'
    assert_failure 1
    assert_exists second
}

@test "gather --jobs: no more than so many at once, in their order" {
    run_ajob gather -j 1 'echo 1 >>order' 'echo 2 >>order' 'echo 3 >>order'
    assert_success
    assert_equal "$(xargs <order)" "1 2 3"
}

@test "gather: the same command twice runs twice" {
    run_ajob gather 'echo x >>count' 'echo x >>count'
    assert_success
    assert_equal "$(wc -l <count)" 2
}

@test "any: the first success stops the others" {
    run_ajob any --events events 'exit 1' 'sleep 0.1' 'exec sleep 1000'
    assert_success
    assert_equal "$(ended status)" "$(rows $'1\tfailed' $'2\tsucceeded' $'3\tcancelled')"
    expect_status 3
    run_ajob any --exit-code first 'exit 3' 'sleep 0.2; exit 4'
    assert_failure 3
}

@test "race: the first to end decides, well or not" {
    run_ajob race 'exec sleep 1000' true
    assert_success
    expect_status 9
    run_ajob race --exit-code first 'exec sleep 1000' 'exit 9'
    assert_failure 9
}

@test "names: numbers unless they are given; two equal ones are wrong usage" {
    run_ajob gather --events events --name build true true
    assert_success
    assert_equal "$(ended status)" "$(rows $'2\tsucceeded' $'build\tsucceeded')"
    run_ajob gather --name a --name a 'touch started' true
    assert_failure 2
    assert_stderr 'ajob: gather: --name: a: is given twice'
    run_ajob gather --name 2 'touch started' true
    assert_failure 2
    run_ajob gather --name a --name b 'touch started'
    assert_failure 2
    run_ajob gather --name a/b 'touch started'
    assert_failure 2
    refute_exists started
}

@test "wrong usage starts nothing" {
    for command in gather any race; do
        run_ajob $command
        assert_failure 2
        assert_stderr "ajob: $command: no command given: use ajob $command CMD CMD..."
        run_ajob $command 'touch started' ''
        assert_failure 2
        run_ajob $command --per-host 3 'touch started'
        assert_failure 2
    done
    refute_exists started
}

@test "--dry-run prints the commands, safely, and runs none" {
    run_ajob gather -n --name one 'touch started' $'echo \e[31m'
    assert_success
    assert_equal "${lines[0]}" 'would run one: touch started'
    assert_equal "${lines[1]}" 'would run 2: echo \x1b[31m'
    refute_exists started
}

# ---- time ---------------------------------------------------------------------------

@test "--timeout stops everything, and the exit status says so" {
    expect_status 124
    second_has_ended() { grep -q '"task.ended".*"succeeded"' events; }
    with_time second_has_ended run_ajob gather --events events 'exec sleep 1000' true --timeout
    assert_failure 124
    assert_equal "$(ended status)" "$(rows $'1\tcancelled' $'2\tsucceeded')"
    assert_equal "$(events events 'event == "run.ended"' status exit)" $'timed_out\t124'
}

@test "--retries: a command that fails is run again" {
    run_ajob gather -r 3 --retry-delay 10ms --events events 'echo x >>tries; test "$(wc -l <tries)" -ge 3'
    assert_success
    assert_equal "$(ended attempts)" $'1\t3'
    assert_equal "$(events events 'event == "task.retrying"' attempt cause)" "$(rows $'1\texit 1' $'2\texit 1')"
    run_ajob gather -r 2 --retry-delay 10ms 'echo x >>more; exit 1'
    assert_failure 1
    assert_equal "$(wc -l <more)" 3
    run_ajob gather 'echo x >>once; exit 1'
    assert_equal "$(wc -l <once)" 1
}

@test "cancelled in a backoff: at once, and it is not tried again" {
    start_ajob gather -r 5 --retry-delay 1000s --events events 'echo x >>tries; exit 1'
    retries() { grep -q task.retrying events; }
    wait_until 60 retries
    expect_status 130
    kill -INT "$AJOB_PID"
    wait_ajob
    assert_failure 130
    assert_equal "$(wc -l <tries)" 1
    assert_equal "$(ended status attempts)" $'1\tcancelled\t1'
}

# ---- a system without room ----------------------------------------------------------

@test "too many processes for a moment: they wait, and no retry is spent" {
    local nobody=64646 commands=() i
    setpriv --reuid "$nobody" true 2>/dev/null || skip "only root can become a user without processes"
    for i in {1..20}; do
        commands+=("exec sleep 0.05") # one process each
    done
    cp "$AJOB" ./ajob
    chmod 755 . "$BATS_TEST_TMPDIR"
    touch events err && chmod 666 events err
    run bash -c 'ulimit -u 8 && exec setpriv --reuid "$@"' bash "$nobody" ./ajob gather --events events "${commands[@]}" 3>&-
    assert_success
    assert_equal "$(events events 'event == "task.retrying"' task)" ""
    assert_equal "$(events events 'event == "task.ended"' attempts status | sort | uniq -c | xargs)" "20 1 succeeded"
}

@test "too many files for a moment: they wait, and no retry is spent" {
    ulimit -n 40
    local commands=()
    for i in {1..60}; do
        commands+=("sleep 0.05; echo x >>count")
    done
    run_ajob gather --events events "${commands[@]}"
    assert_success
    assert_equal "$(wc -l <count)" 60
    assert_equal "$(events events 'event == "task.retrying"' task)" ""
    assert_equal "$(events events 'event == "task.ended"' attempts | sort -u)" 1
}

@test "output that cannot be kept until its turn is told of, and no success" {
    AJOB_FAULT=write:1 run_ajob gather -q 'head -c 3000000 /dev/zero' 'echo other'
    assert_failure 1
    assert_output --partial other
    assert_stderr --partial 'output of commands is lost'
    AJOB_FAULT=write:1 run_ajob gather -q --output none 'head -c 3000000 /dev/zero' # nobody wants it
    assert_success
}

@test "all that cannot be started for lack of files say so" {
    ulimit -n 13
    run_ajob gather true true true
    assert_failure 1
    assert_equal "$(grep -c 'cannot be started: .*files' "$AJOB_ERR")" 3
}

@test "without files for the loop itself ajob says so" {
    expect_status 125
    for files in 4 5 6 7; do
        (exec 2>"$AJOB_ERR" 3>&- && ulimit -n $files && exec "$AJOB" gather true) && status=0 || status=$?
        assert_equal "$files: $status" "$files: 125"
        grep -q 'the loop cannot be made' "$AJOB_ERR"
    done
}
