# ajob each: what earlier runs have done, output in order, results in files.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

ran() { sort -n ran 2>/dev/null | tr '\n' ' '; }

# Writes its item; fails if there is a file fail-ITEM.
work() { echo 'echo "$1" >>ran; [ ! -e "fail-$1" ]'; }

# --- resuming ------------------------------------------------------------------

@test "--resume runs what is missing, whatever the order and the company" {
    touch fail-3
    run_ajob each --events events sh -c "$(work)" sh ::: 1 2 3 4
    assert_failure 1
    assert_equal "$(ran)" "1 2 3 4 "
    rm ran fail-3
    run_ajob each --events events --resume events sh -c "$(work)" sh ::: 5 4 3 2
    assert_success
    assert_stderr --partial "2 done, 2 done before"
    assert_equal "$(ran)" "3 5 "
    rm ran
    run_ajob each --events events --resume events sh -c "$(work)" sh ::: 1 2 3 4 5
    assert_success
    assert_equal "$(ran)" ""
    # Another command is another thing.
    run_ajob each --resume events sh -c "$(work)" sh {} ::: 1
    assert_equal "$(ran)" "1 "
}

@test "--resume: a line that is there twice runs twice" {
    run_ajob each --events events sh -c "$(work)" sh ::: a b
    rm ran
    run_ajob each --events events --resume events sh -c "$(work)" sh ::: a a b a
    assert_success
    assert_equal "$(tr '\n' ' ' <ran)" "a a "
    rm ran
    run_ajob each --events events --resume events sh -c "$(work)" sh ::: a a b a
    assert_equal "$(ran)" ""
}

@test "--resume: events in another file say all" {
    run_ajob each --events first sh -c "$(work)" sh ::: 1 2
    run_ajob each --events second --resume first sh -c "$(work)" sh ::: 1 2 3
    assert_success
    assert_events second
    rm ran first
    run_ajob each --resume second sh -c "$(work)" sh ::: 1 2 3 4
    assert_equal "$(ran)" "4 "
}

@test "--resume: batches, columns, command lines and ugly items" {
    run_ajob each --events e -N 2 echo ::: 1 2 3
    run_ajob each --events e --resume e -N 2 echo ::: 1 2 3
    refute_output
    run_ajob each --events e --shell ::: 'echo 1' 'echo 2'
    run_ajob each --events e --resume e --shell ::: 'echo 1' 'echo 3'
    assert_output 3
    printf 'a\xff\n\n$x\n' >items
    run_ajob each --events e -a items echo
    run_ajob each --events e --resume e -a items echo
    refute_output
    run_ajob each -n --resume e -a <(cat items && echo new) echo
    assert_output "echo new"
}

@test "--resume: a file that cannot be used is said so" {
    run_ajob each --resume missing true ::: 1
    assert_failure 2
    assert_stderr "ajob: each: --resume: missing: cannot be read: No such file or directory"
    echo '{"x": 1}' >other
    run_ajob each --resume other true ::: 1
    assert_failure 2
    assert_stderr --partial "--resume: other: line 1 is no event of a run"
    run_ajob each --events new --resume new touch ::: done
    assert_success
    assert_exists done
}

@test "--retry-failed runs what failed or timed out, and has not succeeded since" {
    touch fail-2 fail-4
    run_ajob each --events events --task-timeout 10s sh -c "$(work)" sh ::: 1 2 3 4
    assert_failure 1
    rm ran fail-2
    run_ajob each --events events --retry-failed events sh -c "$(work)" sh
    assert_failure 1
    assert_equal "$(ran)" "2 4 "
    rm ran fail-4
    run_ajob each -n --retry-failed events sh -c x sh
    assert_output "sh -c x sh 4"
    run_ajob each --events events --retry-failed events sh -c "$(work)" sh
    assert_success
    assert_equal "$(ran)" "4 "
    rm ran
    run_ajob each --events events --retry-failed events sh -c "$(work)" sh
    assert_success
    assert_equal "$(ran)" ""
}

@test "--retry-failed with another command: what that does counts for what had failed" {
    run_ajob each -j1 --events events sh -c 'exit 1' ::: 1 2 3
    assert_failure 1
    run_ajob each -j1 --events events --retry-failed events sh -c 'echo "$1"; [ "$1" = 2 ]' sh
    assert_failure 1
    assert_output $'1\n2\n3'
    run_ajob each -j1 --events events --retry-failed events echo again
    assert_success
    assert_output $'again 1\nagain 3'
    run_ajob each -j1 --events events --retry-failed events echo again
    assert_success
    refute_output
    run_ajob each -n --resume events sh -c 'exit 1' ::: 1 2 3
    refute_output
}

@test "equal items: those that have failed are tried again, as many as have" {
    # Writes its item; as many fail as there are lines in the file bad.
    local fails='echo "$1" >>ran; [ ! -s bad ] || { sed -i 1d bad; exit 1; }'
    printf '\n\n' >bad
    run_ajob each -j1 --events events sh -c "$fails" sh ::: a a b a
    assert_stderr --partial "2 done, 2 failed"
    run_ajob each -n --retry-failed events sh -c "$fails" sh
    assert_equal "$(grep -c ' a$' "$AJOB_OUT")" 2
    run_ajob each -n --resume events sh -c "$fails" sh ::: a a a
    assert_equal "$(grep -c ' a$' "$AJOB_OUT")" 2
    # One of the two fails again, and then that one.
    for left in 1 1 0 0; do
        printf '\n' >bad
        ((left)) || : >bad
        rm -f ran
        run_ajob each -j1 --events events --retry-failed events sh -c "$fails" sh
        cat ran 2>/dev/null || echo
    done >got
    assert_equal "$(tr '\n' ' ' <got)" "a a a a  "
    run_ajob each -n --resume events sh -c "$fails" sh ::: a a a b
    refute_output
}

@test "--retry-failed gives items back to the byte" {
    "$PYTHON" -c 'import os; os.write(1, b"\0".join([bytes(range(1, 256)), b"", b"a\nb", b"\xc3\xa9\"\\", b"c"]))' >items
    run_ajob each -0 -j1 --events events sh -c 'printf "%s\0" "$1"; exit 1' sh <items
    assert_failure 1
    mv "$AJOB_OUT" first
    run_ajob each -0 -j1 --retry-failed events printf '%s\0'
    assert_success
    cmp first "$AJOB_OUT"
    run_ajob each -0 -N 3 -j1 --events events sh -c 'printf "%s|" "$@"; printf "\0"; exit 1' sh <items
    mv "$AJOB_OUT" first
    run_ajob each -0 -N 3 -j1 --retry-failed events sh -c 'printf "%s|" "$@"; printf "\0"' sh
    assert_success
    cmp first "$AJOB_OUT"
}

@test "a record that cannot be written ends the run soon, whose missing part runs again" {
    # Endless input, with commands under way, and before the first item.
    run_ajob each -j2 --events /dev/full sh -c '[ "$1" != 1 ] || exec sleep 1000' sh < <(seq 1000000)
    assert_failure 1
    assert_stderr --partial "cancelling: a failure to write the events"
    assert_stderr --partial "ajob: events: /dev/full: No space left on device: the run was ended; --resume goes on from what is there"
    mkfifo never
    exec 9<>never
    run_ajob each --events /dev/full true <never 9>&-
    exec 9>&-
    assert_failure 1
    # In the middle of a line.
    (ulimit -f 4 && exec "$AJOB" each -q -j2 --events events sh -c "$(work)" sh < <(seq 1000000)) 2>err 3>&- && status=0 || status=$?
    assert_equal "$status" 1
    grep -F "ajob: events: events: File too large: the run was ended" err
    local recorded
    recorded=$(grep -c '"status":"succeeded"' events)
    ((recorded > 0 && recorded < 100))
    run_ajob each -q -j2 --events events --resume events sh -c "$(work)" sh < <(seq 100)
    assert_success
    assert_equal "$(sort -nu ran)" "$(seq 100)"
}

@test "--retry-failed -N: an item is one again, with a newline in it; with a NUL it fails again" {
    run_ajob each -0 -N 2 --events events false < <(printf 'a\nb\0')
    run_ajob each -N 2 --retry-failed events printf '<%s>'
    assert_output $'<a\nb>'
    run_ajob each -N 2 --events events false < <(printf 'a\0b\n')
    run_ajob each -N 2 --retry-failed events printf '<%s>'
    assert_failure 1
    refute_output
}

@test "--resume: what was done before waits for no --delay" {
    run_ajob each --events first true ::: 1 2 3
    run_ajob each --timeout 20s --delay 1m --events second --resume first true ::: 1 2 3
    assert_success
}

@test "killed at any moment and resumed: each item is done, and none twice but those that ran" {
    local round most=60 pause
    seq "$most" >items
    : >ran
    for ((round = 0; round < 15; round++)); do
        start_ajob each -j3 -a items --events events --resume events sh -c 'echo "$1" >>ran' sh
        printf -v pause '0.%03d' $((RANDOM % 80))
        read -rt "$pause" <>"$BATS_TEST_TMPDIR/never" || true
        kill -KILL "$AJOB_PID" 2>/dev/null || true
        expect_status 137
        wait_ajob
        wait_until 60 no_test_processes
    done
    run_ajob each -j3 -a items --events events --resume events sh -c 'echo "$1" >>ran' sh
    assert_success
    sort -nu ran | cmp - items
    # At most those that ran at the moment of a kill are there again.
    (($(wc -l <ran) <= most + 3 * 15))
    run_ajob each -j3 -a items --events events --resume events sh -c 'echo "$1" >>ran' sh
    assert_stderr --partial "$most done before"
}

# --- order and tags ----------------------------------------------------------------

@test "--ordered: in the order of the items, the first one as it comes" {
    mkfifo go
    exec 9<>go
    start_ajob each -j4 --ordered sh -c 'echo "begin $1"; [ "$1" != 1 ] || read -r x <go; echo "end $1"; touch "ended-$1"' sh ::: 1 2 3 4 9>&-
    wait_until 60 test -e ended-4
    wait_until 60 test -s "$AJOB_OUT"
    assert_equal "$(<"$AJOB_OUT")" "begin 1"
    echo >&9
    wait_ajob
    exec 9>&-
    assert_success
    assert_equal "$(tr '\n' ' ' <"$AJOB_OUT")" "begin 1 end 1 begin 2 end 2 begin 3 end 3 begin 4 end 4 "
}

@test "--ordered: failures, retries, items that cannot run, and an end by signal" {
    run_ajob each -q -j3 --ordered --retries 1 --retry-delay 1ms sh -c 'echo "$1"; exit "$1"' sh ::: 0 1 0
    assert_failure 1
    assert_equal "$(tr '\n' ' ' <"$AJOB_OUT")" "0 1 1 0 "
    run_ajob each -q -j3 --ordered echo < <(printf '1\n\0\n3\n')
    assert_equal "$(tr '\n' ' ' <"$AJOB_OUT")" "1 3 "
    run_ajob each -q -j3 --ordered --output none sh -c 'echo "$1" >&2; exit "$1"' sh ::: 2 0 1
    assert_equal "$(grep -v ajob "$AJOB_ERR" | tr '\n' ' ')" "2 1 "
    start_ajob each -j2 --ordered sh -c 'echo "$1"; touch "began-$1"; [ "$1" = 2 ] || exec sleep 1000; touch "ended-$1"' sh ::: 1 2 3
    wait_until 60 test -e began-3
    kill -TERM "$AJOB_PID"
    expect_status 143
    wait_ajob
    assert_failure 143
    assert_equal "$(tr '\n' ' ' <"$AJOB_OUT")" "1 2 3 "
    run_ajob each --ordered --output stream true ::: 1
    assert_failure 2
}

@test "--ordered: behind a slow item little is held in memory" {
    mkfifo go
    exec 9<>go
    start_ajob each -q -j2 --ordered sh -c '[ "$1" != 1 ] || read -r x <go; head -c 100000 /dev/zero | tr "\0" "a"; echo "$1"; [ "$1" != 200 ] || touch over' sh < <(seq 200) 9>&-
    wait_until 60 test -e over
    # A sanitizer keeps what is freed.
    grep -q __asan_init "$AJOB" || (($(awk '/^VmHWM/ {print $2}' "/proc/$AJOB_PID/status") < 40000))
    (($(find "/proc/$AJOB_PID/fd" -lname '*deleted*' | wc -l) <= 2))
    echo >&9
    wait_ajob
    exec 9>&-
    assert_success
    assert_equal "$(tr -d a <"$AJOB_OUT")" "$(seq 200)"
}

@test "--tag: each line begins with the item" {
    run_ajob each -q -j1 --tag sh -c 'echo a; printf b; echo c >&2' sh ::: 'x y' $'t\tab\n'
    assert_output $'x y\ta\nx y\tb\nt\\x09ab\\x0a\ta\nt\\x09ab\\x0a\tb'
    assert_stderr $'x y\tc\nt\\x09ab\\x0a\tc'
    run_ajob each -q -j2 --tag --output group --ordered sh -c 'echo "$1"' sh ::: 1 2
    assert_output $'1\t1\n2\t2'
}

# --- results -----------------------------------------------------------------------

@test "what stands in the way in the directory of results is neither followed nor waited for" {
    mkdir -p out/2 out/4/item evil
    ln -s ../evil out/1
    mkfifo out/2/item out/2/status out/3
    run_ajob each -j1 --results out echo ::: a b c d e
    assert_failure 1
    assert_stderr --partial 'ajob: each: --results: out/1: cannot be written: '
    assert_tree evil
    assert_equal "$(cat out/2/item out/2/status out/5/status)" $'bsucceeded\nsucceeded'
}

@test "--results without room end the run" {
    on_small_disk 1M true 2>/dev/null || skip "no file system can be mounted here"
    # shellcheck disable=SC2016
    on_small_disk 1M sh -c 'seq 1000000 | "$AJOB" each -j2 --results small/out true' >"$AJOB_OUT" 2>"$AJOB_ERR" 3>&- && status=0 || status=$?
    collect_ajob
    assert_failure 1
    assert_stderr --partial "cannot be written: No space left on device"
    assert_stderr --partial "cancelling: a failure to write the results"
}

@test "--results keeps what each command printed, and how it ended" {
    run_ajob each -q --output none --results out/dir sh -c 'echo "o$1"; printf "e$1" >&2; exit "$1"' sh ::: 0 3
    assert_failure 1
    assert_tree out dir/1/item dir/1/status dir/1/stderr dir/1/stdout dir/2/item dir/2/status dir/2/stderr dir/2/stdout
    assert_equal "$(cd out/dir && head -n 9 1/* 2/* | grep .)" "$(
        cat <<'END'
==> 1/item <==
0
==> 1/status <==
succeeded
==> 1/stderr <==
e0
==> 1/stdout <==
o0
==> 2/item <==
3
==> 2/status <==
failed: exit 3
==> 2/stderr <==
e3
==> 2/stdout <==
o3
END
    )"
    # Again: what was there is replaced.
    run_ajob each -q --retries 1 --retry-delay 1ms --results out/dir sh -c 'echo again; exit 1' sh ::: x
    assert_equal "$(<out/dir/1/stdout)" again
    assert_equal "$(<out/dir/1/status)" "failed: exit 1"
    run_ajob each -q --task-timeout 100ms --results out2 sleep ::: 1000
    assert_equal "$(<out2/1/status)" "timed_out: attempt timeout 100ms"
    touch file
    run_ajob each --results file true ::: 1
    assert_failure 2
    assert_stderr --partial "--results: file: cannot be made or written to"
}

@test "a failure does not show the password of an item that is a URL" {
    run_ajob each false ::: https://me:secret@127.0.0.1/x
    assert_failure 1
    assert_stderr --partial '127.0.0.1/x'
    refute_stderr --partial secret
}
