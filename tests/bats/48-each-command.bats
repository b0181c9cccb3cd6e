# ajob each: one command for each item of an input.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# each ARG...: what is printed, sorted, on one line
each() { run_ajob each "$@" && sorted; }

sorted() { sort "$AJOB_OUT" | tr '\n' '|'; }

latch() { mkfifo "$@"; }

# --- items -------------------------------------------------------------------

@test "a line is an item; the last one needs no newline, an empty one is one" {
    printf 'b c\n\n  "a"' | each printf '<%s>\n'
    assert_success
    assert_equal "$(sorted)" '<  "a">|<>|<b c>|'
    printf 'x\r\n' | each printf '<%s>\n'
    assert_equal "$(sorted)" $'<x\r>|'
}

@test "without items nothing runs, which is a success" {
    run_ajob each touch ran </dev/null
    assert_success
    run_ajob each touch ran :::
    assert_success
    run_ajob each --max-chars 10K touch </dev/null
    assert_success
    refute_exists ran
    refute_output
}

@test "items are bytes: all but NUL pass through as they are" {
    "$PYTHON" - <<'END' >items
import os
os.write(1, bytes(b for b in range(1, 256) if b != 10) + b"\n-n\n$(touch ran)`touch ran`';touch ran;'\n*\n")
END
    run_ajob each -j1 printf '%s\n' {} <items
    assert_success
    cmp items "$AJOB_OUT"
    refute_exists ran
    tr '\n' '\0' <items >null
    run_ajob each -0 -j1 printf '%s\0' {} <null
    cmp null "$AJOB_OUT"
}

@test "what no argument can be fails by itself: NUL bytes, more than 128 KiB" {
    { printf 'a\0b\n' && head -c 131071 /dev/zero | tr '\0' l && echo && head -c 131072 /dev/zero | tr '\0' m &&
        echo && head -c 1000000 /dev/zero | tr '\0' n && printf '\nlast'; } >items
    run_ajob each --events events -j1 sh -c 'echo ${#1}' sh <items
    assert_failure 1
    assert_equal "$(<"$AJOB_OUT")" $'131071\n4'
    assert_stderr --partial "1: a: the item has a NUL byte in it"
    assert_stderr --partial "the item is longer than 128 KiB"
    assert_events events
    assert_equal "$(events events "event == 'task.ended'" task status | tr '\n' '|')" \
        $'1\tfailed|2\tsucceeded|3\tfailed|4\tfailed|5\tsucceeded|'
}

@test "items come from a file, from the command line, with other ends" {
    printf '1\n2\n' >items
    each -a items echo
    assert_equal "$(sorted)" '1|2|'
    each echo x ::: 'a b' '' -n
    assert_equal "$(sorted)" 'x |x -n|x a b|'
    printf 'a:b:' | each --delimiter : echo
    assert_equal "$(sorted)" 'a|b|'
    printf 'a\tb' | each --delimiter '\t' echo
    assert_equal "$(sorted)" 'a|b|'
    printf 'a\nb\0c\0' | each -0 printf '<%s>'
    assert_output --partial $'<a\nb>'
}

@test "what a command reads is not the input" {
    printf '1\n2\n3\n' | each sh -c 'cat; echo "$1"' sh
    assert_equal "$(sorted)" '1|2|3|'
}

@test "an input that cannot be read is a failure, after what came before it" {
    run_ajob each echo <.
    assert_failure 1
    assert_stderr --partial "standard input: cannot be read: Is a directory"
    run_ajob each echo <&-
    assert_failure 1
    assert_stderr --partial "standard input: cannot be read"
    run_ajob each -a missing echo
    assert_failure 2
    assert_stderr "ajob: each: --arg-file: missing: cannot be read: No such file or directory"
}

# --- the command ----------------------------------------------------------------

@test "placeholders, as in GNU parallel" {
    local item
    for item in /a/b/c.tar.gz x.y/foo foo .hid a/ / ''; do
        run_ajob each -q -j1 printf '(%s)' {} {.} {/} {//} {/.} ::: "$item"
        assert_success
        echo "$output"
    done >got
    # parallel -q printf '(%s)' {} {.} {/} {//} {/.} ::: ...
    cat >expected <<'END'
(/a/b/c.tar.gz)(/a/b/c.tar)(c.tar.gz)(/a/b)(c.tar)
(x.y/foo)(x.y/foo)(foo)(x.y)(foo)
(foo)(foo)(foo)(.)(foo)
(.hid)()(.hid)(.)()
(a/)(a/)()(.)()
(/)(/)()(/)()
()()()(.)()
END
    diff expected got
    run_ajob each -q -j1 echo '{}{}' 'x{#}' '{ }' '{x}' '{-1}' '{0}' '{{}}' ::: a b
    assert_output $'aa x1 { } {x} {-1} {0} {a}\nbb x2 { } {x} {-1} {0} {b}'
    run_ajob each -q {} x ::: echo
    assert_output "x"
    run_ajob each -q echo '{#}' ::: a # then the item is not appended
    assert_output "1"
}

@test "columns" {
    printf 'a,b c,d\nx\n' | run_ajob each -q -j1 --columns , printf '<%s>' {2} {1} {9} {} '{3/}'
    assert_output '<b c><a><><a,b c,d><d><><x><><x><>'
    printf 'a\tb\n' | run_ajob each -q --columns '\t' printf '<%s>'
    assert_output '<a><b>'
    run_ajob each -q --columns / printf '<%s>' '{1}{2.}' ::: a/b.c ''
    assert_output '<ab><>'
}

@test "several items in one command" {
    seq 7 | run_ajob each -q -j1 -N 3 echo {#}:
    assert_success
    assert_output $'1: \n2: \n3: ' || assert_output $'1:\n2:\n3:'
    seq 7 | run_ajob each -q -j1 -N 3 echo
    assert_output $'1 2 3\n4 5 6\n7'
    seq 5 | run_ajob each -q -j1 -N 2 echo 'a{}b' c '{2}' d
    assert_output $'a1b a2b c 2 d\na3b a4b c 4 d\na5b c  d'
    # As xargs -s: "echo" and each item, a byte more for each.
    seq 10 | run_ajob each -q -j1 --max-chars 12 echo
    seq 10 | xargs -s 12 echo >expected
    assert_output "$(<expected)"
    seq 10 | run_ajob each -q -j1 --max-chars 12 -N 2 echo
    assert_output "$(seq 10 | xargs -s 12 -n 2 echo)"
    printf '1\n12345678\n2\n' | run_ajob each -q -j1 --max-chars 12 echo
    assert_failure 1
    assert_output "1
2" || assert_output "1 2"
    assert_stderr --partial "12345678: the item is longer than --max-chars allows"
}

@test "no command gets more than the system allows" {
    seq 300000 | run_ajob each -q -j1 -N 300000 sh -c 'echo $#' sh
    assert_success
    ((${#lines[@]} > 1))
    assert_equal "$(awk '{s += $1} END {print s}' "$AJOB_OUT")" 300000
}

@test "--shell: items are command lines" {
    printf 'echo $((1+1)); exit 3\n\necho "a  b" | cat\n' | run_ajob each -q -j1 --shell
    assert_failure 1
    assert_output $'2\na  b'
    run_ajob each -q --exit-code first --shell ::: 'kill -KILL $$'
    assert_failure 137
}

@test "--dry-run prints what a shell reads back, and runs nothing" {
    printf "%s\n" "it's" 'a b' '' '$x`y`' '~' 'a=b' '*' '#' 'é' >items
    run_ajob each -n printf '%s\n' {} x={} 'touch ran' <items
    assert_success
    refute_exists ran
    refute_stderr
    sh -e "$AJOB_OUT" >got
    while IFS= read -r line; do printf '%s\n' "$line" "x=$line" 'touch ran'; done <items >expected
    cmp expected got
    run_ajob each -n {} b ::: a=b if '~/x' plain
    assert_output $'\'a=b\' b\n\'if\' b\n\'~/x\' b\nplain b'
    run_ajob each -n --shell ::: 'echo  "x"'
    assert_output 'echo  "x"'
}

@test "wrong usage starts nothing" {
    local arguments
    while IFS='|' read -r arguments message; do
        # shellcheck disable=SC2086
        run_ajob each $arguments <<<x
        assert_failure 2
        assert_stderr --partial "$message"
        refute_output
    done <<'END'
|no command given: use ajob each CMD [ARG...], or --shell
--shell touch ran|--shell: the items are the commands: leave out touch
--shell -N 2|--shell: an item is a command line
--jobs 0 touch|--jobs: 0: not a number of commands
--jobs 5x touch|--jobs: 5x: not a number of commands
--jobs +5% touch|--jobs: +5%: not a number of commands
--limit-start 5 touch|--limit-start: 5: not a rate: use 10/s
--limit-start 0/s touch|--limit-start: 0/s: not a rate
--delimiter ab touch|--delimiter: ab: not one character
--null --delimiter a touch|--delimiter: --null is one already
--columns , -N 2 touch|--columns: a command with columns is for one item
--arg-file x touch ::: y|--arg-file: there are items after ::: already
touch ::: x ::: y|::: is there twice
--fail-fast --max-failures 2 touch|--max-failures: --fail-fast says 1 already
--dir missing touch|--dir: missing
END
}

# --- how many, how fast -----------------------------------------------------------

@test "no more are read than can be used: the producer is held back" {
    latch in go
    start_ajob each -j2 sh -c 'echo "$1" >>begun; read -r x <go' sh <in
    exec 8>in
    # Twice as many items as slots are known; the rest stays in the reader's buffer (64 KiB)
    # and in the pipe (64 KiB).
    timeout 2 sh -c 'while :; do echo 0123456789012345678901234567890123456789012345678901234567890; done' >&8 8>&- &
    producer=$!
    wait_until 60 test -s begun
    wait "$producer" || true
    (($(wc -l <begun) == 2))
    (($(grep -c . /proc/"$AJOB_PID"/status) > 0))
    (($(awk '/^VmRSS/ {print $2}' /proc/"$AJOB_PID"/status) < 24000))
    exec 8>&-
    kill -TERM "$AJOB_PID"
    expect_status 143
    wait_ajob
    assert_failure 143
}

@test "an item runs as soon as it is there" {
    latch in
    start_ajob each -j2 touch <in
    exec 8>in
    echo a >&8
    wait_until 60 test -e a
    echo b >&8
    wait_until 60 test -e b
    printf c >&8
    exec 8>&-
    wait_ajob
    assert_success
    assert_exists c
}

@test "so many run at once" {
    latch go
    start_ajob each -j3 sh -c 'echo >>begun; read -r x <go' sh ::: 1 2 3 4 5
    wait_until 60 eval '(($(wc -l <begun) == 3))'
    exec 8<>go
    printf '\n\n\n\n\n' >&8
    wait_ajob
    exec 8>&-
    assert_success
    local processors
    processors=$(nproc)
    run_ajob each -n -j "+1" true ::: 1
    assert_success
    run_ajob each -j "-$processors" --output group --events events true ::: 1 2
    assert_success
}

@test "starts are spread: --delay, --limit-start" {
    run_ajob each -j4 --delay 100ms --events events true ::: 1 2 3
    assert_success
    "$PYTHON" - <<'END'
import datetime, json
times = [datetime.datetime.fromisoformat(e["time"][:-1]) for e in map(json.loads, open("events"))
         if e["event"] == "task.started"]
assert len(times) == 3
for a, b in zip(times, times[1:]):
    assert (b - a).total_seconds() > 0.09, (a, b)
END
    run_ajob each -j4 --limit-start 600/m --events events true ::: 1 2 3
    assert_success
    (($(events events "event == 'run.ended'" duration | tr -d . ) > 180000))
    run_ajob each -j4 --delay 1h --timeout 100ms true ::: 1 2
    assert_failure 124
}

@test "--task-timeout is a failure, which is tried again" {
    run_ajob each -j3 --task-timeout 200ms --retries 1 --retry-delay 1ms --events events sh -c '[ "$1" = a ] || exec sleep 1000' sh ::: a b
    assert_failure 1
    assert_stderr --partial "2: b: attempt timeout 200ms"
    assert_equal "$(events events "event == 'task.ended' and task == '2'" status attempts)" $'timed_out\t2'
}

# --- the end ---------------------------------------------------------------------

@test "all run, failures or not; the exit status tells" {
    run_ajob each -j1 sh -c 'echo "$1"; exit "$1"' sh ::: 0 3 0 4
    assert_failure 1
    assert_output $'0\n3\n0\n4'
    assert_stderr --partial "ajob: each: 2: 3: exit 3"
    assert_stderr --partial "2 done, 2 failed"
    run_ajob each -q --exit-code first -j1 sh -c 'exit "$1"' sh ::: 0 3 4
    assert_failure 3
    run_ajob each -q --exit-code first ./missing ::: 1
    assert_failure 127
    touch plain
    run_ajob each -q --exit-code first ./plain ::: 1
    assert_failure 126
    run_ajob each -q -j1 --timeout 300ms sleep ::: 1000
    assert_failure 124
}

@test "--fail-fast and --max-failures stop an endless input" {
    yes x | run_ajob each -j1 --fail-fast --events events sh -c 'echo >>ran; exit 3'
    assert_failure 1
    assert_equal "$(wc -l <ran)" 1
    assert_events events
    rm ran
    yes x | run_ajob each -j1 --max-failures 3 --exit-code first sh -c 'echo >>ran; exit 3'
    assert_failure 3
    assert_equal "$(wc -l <ran)" 3
}

@test "signals end it at every stage" {
    local stage signal
    latch in
    for signal in INT TERM HUP; do
        # Before the first item; with commands under way; with the input at its end.
        for stage in empty running over; do
            rm -f begun
            start_ajob each --events events -j2 sh -c 'echo >>begun; exec sleep 1000' <in
            exec 8>in
            case $stage in
            empty) wait_until 60 test -s events ;;
            running) seq 10 >&8 && wait_until 60 test -s begun ;;
            over) echo 1 >&8 && exec 8>&- && wait_until 60 test -s begun ;;
            esac
            kill "-$signal" "$AJOB_PID"
            expect_status 129 130 143
            wait_ajob
            assert_failure $((128 + $(kill -l "$signal")))
            exec 8>&-
            assert_events events
        done
    done
}

@test "when the reader of its output goes, so does each: quietly" {
    latch in
    "$AJOB" each -j2 echo <in 2>err 3>&- | head -n 1 >first 3>&- &
    exec 8>in
    echo 1 >&8
    wait_until 60 test -s first
    echo 2 >&8 # there is nobody to read this
    wait
    exec 8>&-
    assert_equal "$(<first)" 1
    assert_equal "$(<err)" ""
    set +e
    yes | "$AJOB" each echo 3>&- | head -n 1 3>&-
    assert_equal "${PIPESTATUS[1]}" 141
}

@test "a slow reader holds everything back" {
    mkfifo out
    start_ajob each -j2 sh -c 'echo "$1" >>begun; echo "$1"; head -c 20000 /dev/zero' sh < <(seq 100000)
    :
    kill -TERM "$AJOB_PID"
    expect_status 143
    wait_ajob
}

@test "the record says what each task was for" {
    printf 'a\xff\nplain \xc3\xa9\n' | run_ajob each --events events true
    assert_success
    assert_events events
    assert_equal "$(events events "task == '1' and event == 'task.ended'" item item_hex)" $'a\xef\xbf\xbd\t61ff'
    assert_equal "$(events events "task == '2' and event == 'task.ended'" item item_hex)" $'plain \xc3\xa9\t'
    run_ajob each -N 2 --events events true ::: a b c
    assert_equal "$(events events "task == '1' and event == 'task.ended'" item)" 'a\nb' ||
        assert_equal "$(events events "task == '1' and event == 'task.ended'" item)" $'a\nb'
}
