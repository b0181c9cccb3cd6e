# What commands print: in blocks, line by line, or not at all; never mixed, never
# lost where it matters, and never in the way of the run.

load ../helpers

setup() { common_setup; }
teardown() {
    tmux_run kill-server || true
    wait_until "$WAIT_LIMIT" no_tmux
    common_teardown
}

# --- a terminal --------------------------------------------------------------

tmux_run() { TMUX='' tmux -f /dev/null -S "$BATS_TEST_TMPDIR/tmux" "$@" 2>/dev/null 3>&-; }

no_tmux() { ! tmux_run has-session; }

on_terminal() { # COLUMNSxROWS COMMAND
    tmux_run new-session -d -x "${1%x*}" -y "${1#*x}" "cd '$WORK'; export TERM=screen; trap : INT; $2; echo \"status \$?\"; read -r _"
}

screen() { tmux_run capture-pane -p; }

# sees REGEX: until the screen matches
sees() {
    screen_matches() { [[ $(screen) =~ $1 ]]; }
    wait_until 60 screen_matches "$1" || fail "the screen:" "$(screen)"
}

has_line() { grep -qx -- "$1" "$AJOB_OUT"; }

# latches NAME...: a command waits with `cat NAME` until the test does `: >NAME`
latches() { mkfifo "$@"; }

# --- the modes ---------------------------------------------------------------

@test "group: a block for each command, in the order in which they end" {
    latches first
    start_ajob gather 'echo a1; cat first; echo a2' 'echo b1; echo b2'
    wait_until 60 has_line b2
    assert_equal "$(<"$AJOB_OUT")" $'b1\nb2'
    : >first
    wait_ajob
    assert_success
    assert_output $'b1\nb2\na1\na2'
    run_ajob gather --output group 'echo only; printf end'
    assert_success
    assert_output $'only\nend'
}

@test "a command that runs alone shows each line as it comes" {
    latches go
    for options in "" "-j 1"; do
        # shellcheck disable=SC2086
        start_ajob gather $options 'echo one; printf two; cat go; echo .' ${options:+true}
        wait_until 60 has_line one
        : >go
        wait_ajob
        assert_success
        assert_output $'one\ntwo.'
    done
}

@test "a command that runs alone shows a prompt" {
    latches go
    start_ajob gather 'printf "well? "; cat go; echo yes'
    wait_until 60 grep -q '^well? ' "$AJOB_OUT"
    : >go
    wait_ajob
    assert_success
    assert_output 'well? yes'
}

@test "prefix: each line after the name, a last one without end too" {
    latches go
    run_ajob gather --output prefix --name one --name two 'echo a; printf "b\n\nc"; : >go' 'cat go; echo d >&2'
    assert_success
    assert_output $'[one] a\n[one] b\n[one] \n[one] c'
    assert_stderr --partial $'[two] d\n'
}

@test "what two streams bring into one file stands in the order in which it was read" {
    latches go
    "$AJOB" gather --progress none -q 'echo 1; cat go; echo 2 >&2; cat go; echo 3' >both 2>&1 3>&- &
    wait_until 60 grep -q 1 both
    : >go
    wait_until 60 grep -q 2 both
    : >go
    wait
    assert_equal "$(<both)" $'1\n2\n3'
}

@test "none, and --quiet: of failed commands alone, on standard error" {
    run_ajob gather -k -q --output none 'echo good' 'echo bad; echo worse >&2; exit 3'
    assert_failure 1
    refute_output
    assert_stderr --partial 'bad'
    assert_stderr --partial 'worse'
    refute_stderr --partial 'good'
    for mode in group prefix stream; do
        run_ajob gather -k -q --output $mode true 'echo bad; exit 3'
        assert_failure 1
        assert_output --partial 'bad'
    done
}

@test "what attempts printed that failed is shown, too" {
    for mode in group none; do
        rm -f tried
        run_ajob gather --output $mode -r 1 --retry-delay 1ms 'echo once; [ -e tried ] || { touch tried; exit 1; }' true
        assert_success
        assert_equal "$(cat "$AJOB_OUT" "$AJOB_ERR" | grep -c '^once$')" "$([[ $mode == group ]] && echo 2 || echo 1)"
    done
}

@test "bytes pass unchanged: NUL, escapes, what is not UTF-8, no newline at the end" {
    printf 'a\0b\rc\033[31m\377\n::error::x\n##[group]\n\n end' >bytes
    for mode in group stream; do
        run_ajob gather --output $mode 'cat bytes' true
        assert_success
        cmp bytes "$AJOB_OUT"
    done
    run_ajob gather --output prefix 'cat bytes' true
    assert_success
    cmp <(sed 's/^/[1] /' bytes && echo) "$AJOB_OUT"
}

@test "lines of many writers are never mixed, and stay in their order" {
    cat >write <<'END'
import os, random, sys
who = sys.argv[1]
random.seed(who)
text = b"".join(b"%s %d %s\n" % (who.encode(), i, who.encode() * random.choice((1, 10, 100, 3000))) for i in range(1500))
while text:
    cut = random.choice((1, 7, 4096, 70000))
    os.write(1, text[:cut])
    text = text[cut:]
END
    cat >check <<'END'
import collections, sys
seen = collections.Counter()
for line in open(sys.argv[1]):
    line = line.split("] ", 1)[-1]
    who, number, rest = line.split(" ", 2)
    assert number == str(seen[who]), line[:50]
    assert rest.endswith("\n") and set(rest) == {who, "\n"}, line[:50]
    seen[who] += 1
assert len(seen) == 6 and set(seen.values()) == {1500}, seen
END
    for mode in stream prefix group; do
        run_ajob gather --output $mode "$PYTHON write a" "$PYTHON write b" "$PYTHON write c" "$PYTHON write d" "$PYTHON write e" "$PYTHON write f"
        assert_success
        "$PYTHON" check "$AJOB_OUT"
        "$AJOB" gather --output $mode "$PYTHON write a" "$PYTHON write b" "$PYTHON write c" "$PYTHON write d" "$PYTHON write e" "$PYTHON write f" 2>err 3>&- | cat >through
        "$PYTHON" check through
    done
}

# --- much of it --------------------------------------------------------------

most_memory() { sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$AJOB_PID/status"; }

@test "group: 300 MiB cost little memory, and come out whole" {
    latches go
    ASAN_OPTIONS=${ASAN_OPTIONS-}:quarantine_size_mb=8 start_ajob gather 'head -c 300M /dev/zero; : >ready; cat go' true
    wait_until "$WAIT_LIMIT" test -e ready
    (($(most_memory) < 150000)) || fail "$(most_memory) kB"
    assert_equal "$(find "$TMPDIR" -mindepth 1)" "" # it has no name there
    : >go
    wait_ajob
    assert_success
    cmp -n $((300 << 20)) /dev/zero "$AJOB_OUT"
    assert_equal "$(stat -c %s "$AJOB_OUT")" "$((300 << 20))"
}

@test "where nothing more can be held, the rest is lost and that is said" {
    [[ -d /proc/self ]] || skip "no /proc"
    latches go
    # A file that is too large is as good as a disk that is full.
    (ulimit -f 600 && exec "${AS_FROM_TERMINAL[@]}" "$AJOB" gather --name much --name other 'head -c 3M /dev/zero | tr "\0" "x" | fold -w 1000; : >go' 'cat go') 2>err 3>&- | cat >out
    grep -q 'much: the rest of its output cannot be kept: File too large' err
    grep -q '^ajob: the rest of this output cannot be kept: File too large$' err
    (($(stat -c %s out) < 1 << 20)) || fail "$(stat -c %s out)"
}

# --- readers -----------------------------------------------------------------

# blocked COMMAND...: ajob with a stdout that nobody reads
blocked() {
    mkfifo out
    : >"$AJOB_OUT"
    exec {unread}<>out
    "${AS_FROM_TERMINAL[@]}" "$AJOB" "$@" >out 2>"$AJOB_ERR" 3>&- {unread}>&- &
    AJOB_PID=$!
}

@test "a reader that reads nothing holds up neither timeouts nor Ctrl-C" {
    for mode in stream group prefix; do
        blocked gather --grace 1h --output $mode --timeout 1s 'yes' 'head -c 5M /dev/zero'
        wait_ajob
        assert_failure 124
        exec {unread}>&-
        rm out
        latches go
        blocked gather --grace 1h --output $mode 'yes | head -c 3M; : >go; sleep 1000' 'cat go; sleep 1000' 'head -c 200K /dev/zero'
        [[ $mode != group ]] || cat go
        wait_until 60 test_blocked
        expect_status 130
        kill -INT "$AJOB_PID"
        wait_ajob
        assert_failure 130
        exec {unread}>&-
        rm out go
    done
}

# Something stands in the pipe that nobody reads.
test_blocked() { read -rt 0 -u "$unread"; }

@test "a slow reader gets everything" {
    mkfifo out
    "$AJOB" gather --output stream 'seq 300000' 'seq 300001 600000' >out 2>"$AJOB_ERR" 3>&- &
    exec {reader}<out
    head -n 1 <&"$reader" >/dev/null # reads a block
    wait_until 60 eval '((i++ > 20))'
    { cat <&"$reader"; } | wc -l >count
    wait "$!"
    exec {reader}<&-
    (($(<count) > 590000)) || fail "$(<count) lines"
}

@test "when the reader goes away ajob ends quietly by SIGPIPE, and nothing is left" {
    for mode in stream prefix; do
        { "${AS_FROM_TERMINAL[@]}" "$AJOB" gather --output $mode yes 'yes no' 2>err 3>&- || echo $? >status; } | head -n 1 >seen
        assert_equal "$(<status)" 141
        assert_equal "$(<err)" ""
    done
    latches go
    blocked gather -q 'sleep 1000' 'cat go; echo b'
    exec {unread}>&- # it is gone before anything is written
    : >go
    expect_status 141
    wait_ajob
    assert_failure 141
    refute_stderr
    wait_until 60 no_test_processes
}

@test "a full disk under stdout ends the run with an error" {
    run_in_full() { "$AJOB" gather "$@" >/dev/full 2>"$AJOB_ERR" 3>&- && status=0 || status=$?; stderr=$(<"$AJOB_ERR"); }
    run_in_full --output stream yes 'sleep 1000'
    assert_failure 1
    assert_stderr --partial 'ajob: gather: standard output: cannot be written: No space left on device'
    run_in_full --events events 'echo last'
    assert_failure 1
    assert_stderr --partial 'No space left on device'
    assert_equal "$(events events 'event == "run.ended"' exit)" 1
}

# --- files and events ----------------------------------------------------------

@test "--log-dir: a file for each command, both streams, all attempts, emptied by the next run" {
    mkdir logs
    echo old >logs/a.log
    run_ajob gather -k --log-dir logs/new/../sub --name a --name b --name c -r 1 --retry-delay 1ms 'echo out; echo err >&2' 'echo x; exit 1' true
    assert_failure 1
    assert_tree logs a.log new/ sub/a.log sub/b.log sub/c.log
    assert_equal "$(sort logs/sub/a.log)" $'err\nout'
    assert_equal "$(<logs/sub/b.log)" $'x\nx'
    assert_equal "$(<logs/sub/c.log)" ""
    run_ajob gather --log-dir logs/sub --name b 'echo again'
    assert_success
    assert_equal "$(<logs/sub/b.log)" again
}

@test "--log-dir: nothing outside of it is written to, and one file that cannot be written is no failure" {
    mkdir logs
    echo precious >outside
    ln -s ../outside logs/1.log
    run_ajob gather --log-dir logs 'echo one' 'echo two'
    assert_success
    assert_equal "$(<outside)" precious
    assert_equal "$(<logs/2.log)" two
    assert_stderr --partial '1: its log cannot be written: '
}

@test "--log-dir that cannot be made is wrong usage, and starts nothing" {
    : >file
    run_ajob gather --log-dir file/logs --events events 'touch started'
    assert_failure 2
    assert_stderr 'ajob: gather: --log-dir: file/logs: cannot be made or written to: Not a directory'
    refute_exists started
    refute_exists events
}

@test "--events-output: task.output, in whole lines" {
    run_ajob gather --events events --events-output --output none --name a 'printf "x\ny\0"; printf "\377\n" >&2'
    assert_success
    assert_events events
    assert_equal "$(events events 'event == "task.output" and stream == "stdout"' task text | head -n 1)" "$(printf 'a\tx')"
    "$PYTHON" - <<'END'
import json
events = [json.loads(line) for line in open("events")]
text = {}
for event in events:
    if event["event"] == "task.output":
        text[event["stream"]] = text.get(event["stream"], "") + event["text"]
assert text == {"stdout": "x\ny\0", "stderr": "\ufffd\n"}, text
names = [event["event"] for event in events]
assert names.index("task.output") < names.index("task.ended")
END
    run_ajob gather --events events 'echo x'
    assert_equal "$(events events 'event == "task.output"' text)" ""
}

@test "--events -: what commands print goes to standard error" {
    run_ajob gather --events - 'echo hello'
    assert_success
    assert_stderr --partial hello
    assert_equal "$("$PYTHON" -c 'import json,sys; [json.loads(line) for line in open(sys.argv[1])]; print("json")' "$AJOB_OUT")" json
}

@test "--events-output without --events is wrong usage" {
    run_ajob gather --events-output 'touch started'
    assert_failure 2
    assert_stderr 'ajob: gather: --events-output: there are no --events: use --events FILE, too'
    refute_exists started
}

# --- on a terminal -----------------------------------------------------------

@test "on a terminal the command that has run longest is live, and hands over" {
    latches a b
    on_terminal 80x20 "'$AJOB' gather --progress none --name a --name b --name c 'echo a1; cat a; echo a2' 'echo b1; touch b-printed; cat b; echo b2' 'echo c1; touch c-printed'"
    wait_until 60 test -e b-printed -a -e c-printed
    sees a1
    [[ ! $(screen) =~ b1|c1 ]]
    : >a
    sees $'a1\na2\nc1\nb1'
    [[ ! $(screen) =~ b2 ]]
    : >b
    sees $'b1\nb2\n(.*\n)?status 0'
}

@test "on a terminal output stands above the bars, and both on lines of their own" {
    latches a b
    on_terminal 80x20 "'$AJOB' gather --output stream --name a --name b 'echo a1; cat a; printf a2; cat a' 'cat b'"
    sees $'^a1\n.*a .*\n.*b .*\n0/2 done'
    : >a
    : >b
    sees $'a1\ndone b .*\na .*\n1/2 done'
    : >a
    sees 'status 0'
    [[ $(screen) =~ $'a1\n' ]]
    [[ $(screen) =~ a2 ]]
    [[ ! $(screen) =~ a2done|'/2 done' ]] || fail "$(screen)"
}

@test "on a terminal what comes out of a pipe behind it is not wiped away" {
    # A frame would be there after that time, and be drawn again where cat writes.
    on_terminal 80x20 "echo x | '$AJOB' each sh -c 'sleep 0.3; echo line; sleep 0.3' | cat"
    sees 'status 0'
    [[ $(screen) =~ ^line ]] || fail "$(screen)"
    tmux_run kill-server
    wait_until 60 no_tmux
    latches a
    on_terminal 80x20 "echo x | '$AJOB' each --progress bar sh -c 'cat a' | cat"
    sees '1: x' # that was asked for
    : >a
}
