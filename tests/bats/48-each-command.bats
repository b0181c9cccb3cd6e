# ajob each: one command for each item of an input.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# each ARG...: what is printed, sorted, on one line
each() { run_ajob each "$@" && sorted; }

sorted() { sort "$AJOB_OUT" | tr '\n' '|'; }

# A pipe: 7 is its end to read from, 9 the one to write to.
open_pipe() {
    rm -f in
    mkfifo in && exec 8<>in && exec 7<in && exec 9>in && exec 8>&-
}

close_pipe() { exec 7<&- 9>&-; }

# start_each ARG...: in the background, reading that pipe
start_each() { start_ajob each "$@" <&7 7<&- 9>&-; }

# --- items -------------------------------------------------------------------

@test "a line is an item; the last one needs no newline, an empty one is one" {
    each printf '<%s>\n' < <(printf 'b c\n\n  "a"')
    assert_success
    assert_equal "$(sorted)" '<  "a">|<>|<b c>|'
    each printf '<%s>\n' < <(printf 'x\r\n')
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
    each --delimiter : echo < <(printf 'a:b:')
    assert_equal "$(sorted)" 'a|b|'
    local written
    for written in '\t' '\x09' '\x9' '\011' '\11'; do
        each --delimiter "$written" echo < <(printf 'a\tb')
        assert_equal "$(sorted)" 'a|b|'
    done
    each --delimiter '\\' echo < <(printf 'a\\b')
    assert_equal "$(sorted)" 'a|b|'
    each -0 printf '<%s>' < <(printf 'a\nb\0c\0')
    assert_output --partial $'<a\nb>'
}

@test "what a command reads is not the input" {
    each sh -c 'cat; echo "$1"' sh < <(printf '1\n2\n3\n')
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

@test "an item without an end fails, and can be interrupted" {
    run_ajob each --fail-fast true </dev/zero
    assert_failure 1
    assert_stderr --partial "longer than 128 KiB"
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
    run_ajob each -q -j1 --columns , printf '<%s>' {2} {1} {9} {} '{3/}' < <(printf 'a,b c,d\nx\n')
    assert_output '<b c><a><><a,b c,d><d><><x><><x><>'
    run_ajob each -q --columns '\t' printf '<%s>' < <(printf 'a\tb\n')
    assert_output '<a><b>'
    run_ajob each -q -j1 --columns / printf '<%s>' '{1}{2.}' ::: a/b.c ''
    assert_output '<ab><>'
}

@test "several items in one command" {
    run_ajob each -q -j1 -N 3 echo {#}: < <(seq 7)
    assert_success
    assert_output $'1: \n2: \n3: ' || assert_output $'1:\n2:\n3:'
    run_ajob each -q -j1 -N 3 echo < <(seq 7)
    assert_output $'1 2 3\n4 5 6\n7'
    run_ajob each -q -j1 -N 2 echo 'a{}b' c '{2}' d < <(seq 5)
    assert_output $'a1b a2b c 2 d\na3b a4b c 4 d\na5b c  d'
    # As xargs -s: "echo" and each item, a byte more for each.
    run_ajob each -q -j1 --max-chars 12 echo < <(seq 10)
    seq 10 | xargs -s 12 echo >expected
    assert_output "$(<expected)"
    run_ajob each -q -j1 --max-chars 12 -N 2 echo < <(seq 10)
    assert_output "$(seq 10 | xargs -s 12 -n 2 echo)"
    run_ajob each -q -j1 --max-chars 12 echo < <(printf '1\n12345678\n2\n')
    assert_failure 1
    assert_output "1
2" || assert_output "1 2"
    assert_stderr --partial "12345678: the item is longer than --max-chars allows"
}

@test "a batch that fails is called by its first items" {
    run_ajob each -N 3 false ::: a 'b c' d
    assert_stderr --partial "ajob: each: 1: a b c d: exit 1"
    run_ajob each -N 300 false < <(seq 300)
    assert_stderr --partial "ajob: each: 1: 1 2 3 4 5 "
    assert_stderr --partial " 42 43 ...: exit 1"
    run_ajob each -0 false < <(printf 'a\nb') # that is one
    assert_stderr --partial 'ajob: each: 1: a\x0ab: exit 1'
}

@test "no command gets more than the system allows" {
    run_ajob each -q -j1 -N 300000 sh -c 'echo $#' sh < <(seq 300000)
    assert_success
    ((${#lines[@]} > 1))
    assert_equal "$(awk '{s += $1} END {print s}' "$AJOB_OUT")" 300000
}

@test "--shell: items are command lines" {
    run_ajob each -q -j1 --shell < <(printf 'echo $((1+1)); exit 3\n\necho "a  b" | cat\n')
    assert_failure 1
    assert_output $'2\na  b'
    expect_status 137
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

@test "--dry-run: what sh reads back is what runs, whatever the bytes" {
    # What a command was given, in hex, a line for each.
    cat >tell <<'END'
import os, sys
os.write(1, b" ".join(os.fsencode(word).hex().encode() or b"-" for word in sys.argv[1:]) + b"\n")
END
    "$PYTHON" - <<'END' >items
import os, random
ugly = random.Random(5)
special = b"'\"\\$`!*?[]{}()<>|&;#~=%^ \t\n\r-+,.:/@_aZ0\x01\x7f\x80\xc3\xa9\xff"
def item():
    length = ugly.choice((0, 1, 2, 3, 5, 9))
    return bytes(ugly.choice(special) if ugly.random() < 0.8 else ugly.randrange(1, 256) for _ in range(length))
known = [bytes([b]) for b in range(1, 256)] + [b"if", b"a=b", b"~", b"-n", b"--", b"{}", b"$(x)", b"'"]
os.write(1, b"".join(each + b"\0" for each in known + [item() for _ in range(337)]))
END
    # Many in one command: to start one for each would take the test too long.
    local words=("$PYTHON" -S -E tell {} 'x={}' "it's {}" '{#}' '{2/}' '{3.}')
    run_ajob each -q -0 -j1 -N 60 "${words[@]}" <items
    assert_success
    mv "$AJOB_OUT" ran
    assert_equal "$(wc -l <ran)" 10
    run_ajob each -0 -n -N 60 "${words[@]}" <items
    assert_success
    sh -e "$AJOB_OUT" >read_back
    cmp ran read_back
}

@test "--get: items are downloads" {
    start_server
    printf '%s\n' "# a list" "" "$MAIN/f/a?size=1K&seed=1"$'\tone' "$MAIN/f/a?status=404"$'\ttwo' \
        "ftp://x/y" "$MAIN/f/a?size=2K&seed=3"$'\tthree\tsha256:'"$(body_sha256 3 2K)" >list
    run_ajob each -n --get -d out -a list
    assert_line "would download $MAIN/f/a to out/one"
    refute_exists out
    run_ajob each --get -d out --retries 0 --events events <list
    assert_failure 1
    assert_body out/one 1 1K
    assert_body out/three 3 2K
    assert_tree out one three
    assert_stderr --partial "2 downloaded"
    assert_stderr --partial "2 failed"
    assert_stderr --regexp "ajob: each: 2: $MAIN/f/a.*: HTTP 404"
    assert_equal "$(grep -c "$MAIN.*$MAIN" "$AJOB_ERR")" 0 # the item is the URL: once is enough
    assert_events events
    run_ajob each --get -d out --retries 0 --events events --resume events <list
    assert_failure 1
    assert_stderr --partial "2 done before, 2 failed"
}

@test "--get: no item replaces the file of another one" {
    start_server
    {
        echo "$MAIN/f/a?size=1K&seed=1"
        echo "$MAIN/f/a?size=2K&seed=2"
        echo "$MAIN/f/a?size=2K&seed=2"$'\tb'
        echo "$MAIN/f/a?size=1K&seed=1" # the same again
        echo "$MAIN/f/b.part?size=1K&seed=1"
        echo "$MAIN/f/c?size=3K&seed=3"
    } >list
    local refused='is to be written to'
    run_ajob each -n --get -d out --events events -a list
    assert_equal "$(grep -c '^would download' "$AJOB_OUT")" 4
    assert_stderr --partial "ajob: each: 2: $refused out/a, as is item 1: give one of them another name, after a tab"
    run_ajob each -j1 --get -d out --events events -a list
    assert_failure 1
    assert_stderr --partial ": $refused out/a, as is item 1: give one of them another name, after a tab"
    assert_stderr --partial ": $refused out/b.part, as is the part of item 3: give"
    assert_body out/a 1 1K
    assert_body out/b 2 2K
    assert_body out/c 3 3K
    assert_tree out a b c
    # Not by another run either.
    run_ajob each --get -d out --events events --retry-failed events
    assert_success
    refute_stderr --partial failed
    run_ajob each -j1 --get -d out --events events --resume events -a list
    assert_failure 1
    assert_stderr --partial "4 done before, 2 failed"
    assert_body out/a 1 1K
}

@test "--get: its transfers have the options of others, and commands have not" {
    start_server
    run_ajob each --get --segments 4 --limit-rate 64M --per-host 4 --fsync ::: "$MAIN/f/a?size=4M&seed=1&slow=16M"
    assert_success
    assert_body a 1 4M
    (($(max_inflight) > 1)) || fail "one at a time"
    rm a
    run_ajob each --get --max-wait 2s ::: "$MAIN/f/b?status=503&retry_after=60"
    assert_failure 1
    assert_requests 1 '/f/b'
    run_ajob each --get --events events --limit-rate 512K ::: "$MAIN/f/a?size=128K" "$MAIN/f/c?size=128K"
    assert_success
    assert_equal "$(events events "event == 'run.ended' and duration >= 0.3" status)" succeeded
    local option
    for option in --per-host=1 --segments=auto --limit-rate=1M --max-wait=1 --fsync -HA:b --cacert=x --http=2 \
        --connect-timeout=1 --stall-timeout=1 --min-speed=1 --insecure; do
        run_ajob each "$option" touch ::: ran
        assert_failure 2
        assert_stderr --regexp "ajob: each: --[a-z-]*: is for downloads: goes with --get"
    done
    assert_tree . a c events
}

@test "what means another thing to users of xargs and parallel is told" {
    run_ajob each -n 2 echo ::: 1
    assert_failure 2
    assert_stderr "ajob: each: -n: is --dry-run: for 2 items in one command use -N 2"
    run_ajob each -n1 echo ::: 1
    assert_failure 2
    assert_stderr "ajob: each: -n1: takes no value: write just -n; elsewhere -n is another option, which here is -N"
    run_ajob each -r echo ::: 1
    assert_failure 2
    assert_stderr --partial "not a whole number that fits: use one from 0 to 1000; elsewhere -r is another option, which here is the default"
    run_ajob each -d , echo ::: 1
    assert_failure 2
    assert_stderr "ajob: each: -d: is --dir, and there is no directory ,: for the end of an item use --delimiter"
    run_ajob each echo ::: 1 :::+ 2
    assert_failure 2
    assert_stderr "ajob: each: lists are not linked by :::+ here: use --columns, with lines of both"
    run_ajob each echo :::: list
    assert_failure 2
    assert_stderr "ajob: each: there is no list of files after :::: here: use --arg-file FILE, before CMD"
}

@test "wrong usage starts nothing" {
    local arguments
    printf '#!/bin/sh\necho done\n' >'a command' && chmod +x 'a command'
    run_ajob each './a command' ::: x # with a directory it may have spaces
    assert_success
    while IFS='|' read -r arguments message; do
        # shellcheck disable=SC2086
        run_ajob each $arguments <<<x
        assert_failure 2
        assert_stderr --partial "$message"
        refute_output
    done <<'END'
|no command given: use ajob each CMD [ARG...], or --shell
--shell touch ran|--shell: the items say what is done: leave out touch
--shell -N 2|--shell: an item is for itself
--jobs 0 touch|--jobs: 0: not a number of commands
--jobs 5x touch|--jobs: 5x: not a number of commands
--jobs +5% touch|--jobs: +5%: not a number of commands
--limit-start 5 touch|--limit-start: 5: not a rate: use 10/s
--limit-start 0/s touch|--limit-start: 0/s: not a rate
--delimiter ab touch|--delimiter: ab: not one character
--delimiter \x411 touch|--delimiter: \x411: not one character
--delimiter \400 touch|--delimiter: \400: not one character
--null --delimiter a touch|--delimiter: --null is one already
--columns , -N 2 touch|--columns: a command with columns is for one item
--arg-file x touch ::: y|--arg-file: there are items after ::: already
touch ::: x ::: y|there are two lists of items
--fail-fast --max-failures 2 touch|--max-failures: --fail-fast says 1 already
--get --shell|--get: --shell says
--get touch|--get: the items say what is done
--get --output group|--output: downloads print nothing
--dir missing touch|--dir: missing
END
    # As one would for xargs sh -c, or for GNU parallel.
    run_ajob each 'touch {}' ::: x
    assert_failure 2
    assert_stderr 'ajob: each: touch {}: one word, so the name of a program: give each argument as a word of its own, or use sh -c'
    assert_tree . 'a command'
}

# --- how many, how fast -----------------------------------------------------------

@test "no more are read than can be used: the producer is held back" {
    open_pipe
    start_each -j2 sh -c 'echo >>begun; exec sleep 1000'
    # What is not in a task stays in the reader's buffer (64 KiB) and in the pipe (64 KiB).
    timeout 0.5 yes 0123456789012345678901234567890123456789012345678901234567890 >&9 7<&- || true
    wait_until 60 test -s begun
    (($(wc -l <begun) <= 2))
    (($(awk '/^rchar/ {print $2}' "/proc/$AJOB_PID/io") < 200000))
    kill -TERM "$AJOB_PID"
    expect_status 143
    wait_ajob
    close_pipe
    assert_failure 143
}

@test "an item runs as soon as it is there" {
    open_pipe
    start_each -j2 touch
    echo a >&9
    wait_until 60 test -e a
    echo b >&9
    wait_until 60 test -e b
    printf c >&9
    close_pipe
    wait_ajob
    assert_success
    assert_exists c
}

@test "so many run at once" {
    mkfifo go
    exec 9<>go
    start_ajob each -j3 sh -c 'echo >>begun; read -r x <go' sh ::: 1 2 3 4 5 9>&-
    wait_until 60 has_lines 3 begun
    printf '\n\n\n\n\n' >&9
    wait_ajob
    exec 9>&-
    assert_success
    has_lines 5 begun
    # As many as there are CPUs less all of them is one: then it is streamed.
    run_ajob each -j "-$(nproc)" sh -c 'echo a >>order; echo b >>order' ::: 1 2
    assert_equal "$(tr -d '\n' <order)" abab
}

has_lines() { (($(wc -l <"$2") == $1)); } 2>/dev/null

@test "starts are spread: --delay, --limit-start" {
    run_ajob each -j4 --delay 100ms --events events true ::: 1 2 3
    assert_success
    assert_equal "$(events events "event == 'run.ended' and duration > 0.19" status)" succeeded
    run_ajob each -j4 --limit-start 600/m --events events true ::: 1 2 3
    assert_success
    assert_equal "$(events events "event == 'run.ended' and duration > 0.19" status)" succeeded
    run_ajob each -j4 --delay 1h --timeout 100ms true ::: 1 2
    assert_failure 124
    # After the last there is nothing to wait for, also if that it was the last is known later.
    run_ajob each --limit-start 1/h true ::: 1
    assert_success
    mkfifo items ended
    (exec 3>items && echo 1 >&3 && read -r <ended) &
    run_ajob each --delay 1h -a items sh -c 'echo >ended'
    assert_success
    wait $!
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
    expect_status 126 127
    run_ajob each -q --exit-code first ./missing ::: 1
    assert_failure 127
    touch plain
    run_ajob each -q --exit-code first ./plain ::: 1
    assert_failure 126
    run_ajob each -q -j1 --timeout 300ms sleep ::: 1000
    assert_failure 124
}

@test "--fail-fast and --max-failures stop an endless input" {
    run_ajob each -j1 --fail-fast --events events sh -c 'echo >>ran; exit 3' < <(yes x)
    assert_failure 1
    assert_equal "$(wc -l <ran)" 1
    assert_events events
    rm ran
    run_ajob each -j1 --max-failures 3 --exit-code first sh -c 'echo >>ran; exit 3' < <(yes x)
    assert_failure 3
    assert_equal "$(wc -l <ran)" 3
}

@test "signals end it at every stage" {
    local stage signal
    for signal in INT TERM HUP; do
        # Before the first item; with commands under way; with the input at its end.
        for stage in empty running over; do
            rm -f begun events
            open_pipe
            start_each --events events -j2 sh -c 'echo >>begun; exec sleep 1000'
            case $stage in
            empty) wait_until 60 test -s events ;;
            running) seq 10 >&9 ;;
            over) echo 1 >&9 && exec 9>&- ;;
            esac
            [[ $stage == empty ]] || wait_until 60 test -s begun
            kill "-$signal" "$AJOB_PID"
            expect_status 129 130 143
            wait_ajob
            close_pipe
            assert_failure $((128 + $(kill -l "$signal")))
            assert_events events
        done
    done
}

@test "what xargs and parallel call an option is told as it is called here" {
    local option
    for option in -k:--ordered --keep-order:--ordered -P4:-j --joblog:--events -I:'{}' -u:--output \
        --resume-failed:--retry-failed; do
        run_ajob each "${option%%:*}" echo ::: a
        assert_failure 2
        assert_stderr --partial ": here it is ${option#*:}"
    done
}

@test "an item without an end keeps nobody from ending it" {
    start_ajob each echo </dev/zero
    wait_until 60 grep -q 'longer than 128 KiB' "$AJOB_ERR"
    kill -TERM "$AJOB_PID"
    expect_status 143
    wait_ajob
    assert_failure 143
}

@test "when the reader of its output goes, so does each: quietly" {
    open_pipe
    "$AJOB" each -j2 echo <&7 2>err 7<&- 9>&- 3>&- | head -n 1 >first 7<&- 9>&- 3>&- &
    echo 1 >&9
    wait_until 60 test -s first
    echo 2 >&9 # there is nobody to read this
    wait
    close_pipe
    assert_equal "$(<first)" 1
    assert_equal "$(<err)" ""
    yes | "$AJOB" each echo 3>&- | head -n 1 3>&- >first
    assert_equal "${PIPESTATUS[1]}" 141
}

@test "a reader who takes nothing holds everything back" {
    mkfifo out
    exec 8<>out
    "$AJOB" each -j2 sh -c 'echo >>begun; head -c 1000000 /dev/zero' < <(yes) >out 2>err 3>&- 8>&- &
    AJOB_PID=$!
    is_held() {
        [[ $'\n'$(jobs -rp)$'\n' == *$'\n'"$AJOB_PID"$'\n'* ]] || fail "it has ended: $(<err)" || exit 1
        kill -USR1 "$AJOB_PID"
        [[ $(tail -n 1 err) == "the run  waits for the reader of what was printed" ]]
    }
    wait_until 60 test -s begun
    wait_until 60 is_held
    grep -q __asan_init "$AJOB" || (($(awk '/^VmRSS/ {print $2}' "/proc/$AJOB_PID/status") < 32000))
    kill -TERM "$AJOB_PID"
    expect_status 143
    wait "$AJOB_PID" && status=0 || status=$?
    exec 8>&-
    assert_equal "$status" 143
}

@test "the record says what each task was for" {
    run_ajob each --events events true < <(printf 'a\xff\nplain \xc3\xa9\n')
    assert_success
    assert_events events
    assert_equal "$(events events "task == '1' and event == 'task.ended'" item item_hex)" $'a\xef\xbf\xbd\t61ff'
    assert_equal "$(events events "task == '2' and event == 'task.ended'" item item_hex)" $'plain \xc3\xa9\t'
    run_ajob each -N 2 --events events true ::: a b c
    assert_equal "$(events events "task == '1' and event == 'task.ended'" item)" 'a\nb' ||
        assert_equal "$(events events "task == '1' and event == 'task.ended'" item)" $'a\nb'
}

# --- what the manuals of others show -------------------------------------------------

@test "examples of xargs(1)" {
    mkdir tmp
    touch 'tmp/core' 'tmp/a core' $'tmp/new\nline' "tmp/q'u\"ote"
    run_ajob each -q -0 --max-chars 100K rm -f < <(find tmp -type f -print0)
    assert_success
    assert_tree tmp
    # cut -d: -f1 < /etc/passwd | sort | xargs echo
    run_ajob each -q --max-chars 100K echo < <(printf 'root:0\nbin:1\n' | cut -d: -f1 | sort)
    assert_output "bin root"
    # xargs sh -c 'emacs "$@" < /dev/tty' emacs
    run_ajob each -q -N 9 sh -c 'echo "$0: $*"' emacs ::: a b
    assert_output "emacs: a b"
    # xargs -n 2, -I {}
    run_ajob each -q -j1 -N 2 echo ::: a b c
    assert_output "$(echo a b c | xargs -n 2 echo)"
    run_ajob each -q -j1 echo 'to {}!' {} ::: 'a b' c
    assert_output "$(printf '%s\n' 'a b' c | xargs -I {} echo 'to {}!' {})"
}

@test "as xargs does: how many items come into one command, what ends an item" {
    local size number delimiter
    for size in 12 40 77; do
        for number in 1 3 100; do
            run_ajob each -q -j1 --max-chars "$size" -N "$number" echo a < <(seq 30)
            assert_output "$(seq 30 | xargs -s "$size" -n "$number" echo a)"
        done
    done
    for delimiter in '\n' '\t' '\x41' '\101' '\\' x; do
        run_ajob each -q -j1 --delimiter "$delimiter" printf '<%s>' < <(printf 'xAy\tz\\w\n\nv')
        assert_output "$(printf 'xAy\tz\\w\n\nv' | xargs -d "$delimiter" -n 1 printf '<%s>')"
    done
    # With a delimiter xargs takes quotes as they are, too.
    run_ajob each -q -j1 echo a {} b{}{} < <(printf 'a b\nc "d"\n')
    assert_output "$(printf 'a b\nc "d"\n' | xargs -d '\n' -I{} echo a {} b{}{})"
}

@test "examples of parallel(1)" {
    # The outputs are those of its manual (parallel_tutorial).
    run_ajob each -q -j1 echo ::: A B C
    assert_output $'A\nB\nC'
    printf 'A\nB\nC\n' >abc-file
    run_ajob each -q -j1 -a abc-file echo
    assert_output $'A\nB\nC'
    run_ajob each -q -j1 echo <abc-file
    assert_output $'A\nB\nC'
    run_ajob each -q -j1 --delimiter _ echo < <(printf 'A_B_C_')
    assert_output $'A\nB\nC'
    run_ajob each -q -j1 -0 echo < <(printf 'A\0B\0C\0')
    assert_output $'A\nB\nC'
    run_ajob each -q echo {.} ::: A/B.C
    assert_output A/B
    run_ajob each -q echo {/} ::: A/B.C
    assert_output B.C
    run_ajob each -q echo {//} ::: A/B.C
    assert_output A
    run_ajob each -q echo {/.} ::: A/B.C
    assert_output B
    run_ajob each -q -j1 echo {#} ::: A B C
    assert_output $'1\n2\n3'
    printf 'f1\tf2\nA\tB\n' >tsv-file.tsv
    run_ajob each -q -j1 --columns '\t' -a tsv-file.tsv echo 1={1} 2={2}
    assert_output $'1=f1 2=f2\n1=A 2=B'
    run_ajob each -q -j1 -N 3 echo ::: A B C D E F G H
    assert_output $'A B C\nD E F\nG H'
    run_ajob each -q -j1 -N 3 echo 1={1} 2={2} 3={3} ::: A B C D E F G H
    assert_output $'1=A 2=B 3=C\n1=D 2=E 3=F\n1=G 2=H 3='
    run_ajob each -q -j1 -N 4 echo pre-{}-post ::: A B C D E F G
    assert_output $'pre-A-post pre-B-post pre-C-post pre-D-post\npre-E-post pre-F-post pre-G-post'
    run_ajob each -q -j1 -N 7 echo 1={1} 7={7} < <(seq 9)
    assert_output $'1=1 7=7\n1=8 7='
    run_ajob each -q --columns , echo {1/} {2.} {2//} {1/.} {3} ::: a/b.c,d/e.f
    assert_output 'b.c d/e d b '
    run_ajob each -q -j1 echo x{}y < <(printf '1\n\n2\n')
    assert_output $'x1y\nxy\nx2y'
    run_ajob each -q -j1 --shell < <(printf '%s\n' 'echo A | tr A B' 'echo C; echo D')
    assert_output $'B\nC\nD'
    run_ajob each -q -j1 --tag echo foo-{} ::: A B C
    assert_output $'A\tfoo-A\nB\tfoo-B\nC\tfoo-C'
    run_ajob each -j4 --ordered -q sh -c 'echo "$1-start"; sleep "0.$1"; printf "%s-middle\n%s-end\n" "$1" "$1"' sh ::: 4 2 1
    assert_output $'4-start\n4-middle\n4-end\n2-start\n2-middle\n2-end\n1-start\n1-middle\n1-end'
    run_ajob each -n echo {} ::: A B C
    assert_output $'echo A\necho B\necho C'
}
