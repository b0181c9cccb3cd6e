# GNU make's jobserver: joined, offered, and never a token less.

load ../helpers

setup() {
    common_setup
    export LOG=$WORK/log
    mkfifo gate
    exec 9<>gate # opening it to write waits for nobody
    cat >job <<'END'
echo "start $1" >>"$LOG"
read x <gate
echo "end $1" >>"$LOG"
END
    : >log
}
teardown() { common_teardown; }

started() { grep -c start log; }
has_started() { (($(started) >= $1)); }
let_go() { for ((i = 0; i < $1; i++)); do echo >&9; done; }

# at_once COUNT TOTAL: what runs in the background has COUNT jobs at once, of TOTAL
at_once() {
    wait_until "$WAIT_LIMIT" has_started "$1"
    # Another one would be there by the time that a few programs take.
    for i in {1..10}; do "$PYTHON" -c pass; done
    assert_equal "$(started)" "$1"
    let_go "$2"
    wait_ajob
    assert_equal "$(started)" "$2"
}

# start_make ARG...: as start_ajob
start_make() {
    "${AS_FROM_TERMINAL[@]}" make --no-print-directory "$@" >"$AJOB_OUT" 2>"$AJOB_ERR" 3>&- &
    AJOB_PID=$!
}

JOBS=(--exec 'a=sh job a' --exec 'b=sh job b' --exec 'c=sh job c' --exec 'd=sh job d' --exec 'e=sh job e')

# A jobserver of the test's own, with these tokens, in MAKEFLAGS.
give_tokens() {
    mkfifo tokens
    exec 8<>tokens
    printf '%s' "$1" >&8
    export MAKEFLAGS=' -j9 --jobserver-auth=8,8'
}

# The tokens that are there now, sorted.
tokens() {
    dd bs=64 count=1 iflag=nonblock <&8 2>/dev/null | fold -w1 | sort | tr -d '\n'
}

@test "under make -j, run takes its slots from there" {
    printf 'all: ; +@"$$AJOB" run %s\n' "$(printf "'%s' " "${JOBS[@]}")" >Makefile
    start_make -j3
    at_once 3 5
    assert_success
}

@test "under make -j, several each, and each in each, share its slots" {
    cat >Makefile <<'END'
all: a b
a b: ; +@"$$AJOB" each -q sh job ::: 1 2 3
nested: ; +@"$$AJOB" each -q sh -c '"$$AJOB" each -q sh job ::: 1 2 3' ::: 1 2
END
    start_make -j3 all
    at_once 3 6
    assert_success
    : >log
    start_make -j4 nested
    at_once 4 6
    assert_success
}

@test "-j, --jobserver none and a rule without + keep it out of make's" {
    local words
    for words in '+@"$$AJOB" run -j 4' '@"$$AJOB" run -j 4' '+@"$$AJOB" run -j 4 --jobserver none'; do
        : >log
        printf 'all: ; %s %s\n' "$words" "$(printf "'%s' " "${JOBS[@]}")" >Makefile
        start_make -j2
        at_once 4 5
        assert_success
    done
}

@test "--jobserver join says why it cannot" {
    run_ajob run --jobserver join "${JOBS[@]}"
    assert_failure 2
    assert_stderr --partial 'MAKEFLAGS names none'
    MAKEFLAGS='--jobserver-auth=200,201' run_ajob run --jobserver join "${JOBS[@]}"
    assert_failure 2
    assert_stderr --partial 'jobserver 200,201: it is not open: the rule in the makefile needs a + before it'
    assert_equal "$(started)" 0
}

@test "gather starts all at once unless it is told to join" {
    give_tokens ab
    start_ajob gather 'sh job a' 'sh job b' 'sh job c' 'sh job d'
    at_once 4 4
    : >log
    start_ajob gather --jobserver join 'sh job a' 'sh job b' 'sh job c' 'sh job d'
    at_once 3 4
    assert_equal "$(tokens)" ab
}

@test "every token goes back: after success, failure, timeout, one signal and two" {
    local how
    for how in success failure timeout signal signals; do
        rm -f tokens
        : >log
        give_tokens abc
        case $how in
        success) start_ajob run "${JOBS[@]}" && let_go 5 ;;
        failure) start_ajob run "${JOBS[@]}" --exec 'f=exit 1' ;;
        timeout) start_ajob run "${JOBS[@]}" --timeout 200ms && expect_status 124 ;;
        signal) start_ajob run "${JOBS[@]}" && expect_status 143 ;;
        signals) start_ajob run --grace 60s --exec 'a=trap "" TERM; sh job a' --exec 'b=trap "echo start told >>log" TERM; sh job b; sh job b' && expect_status 143 ;;
        esac
        if [[ $how == signal* ]]; then
            wait_until "$WAIT_LIMIT" has_started 2
            kill -TERM "$AJOB_PID"
        fi
        if [[ $how == signals ]]; then
            wait_until "$WAIT_LIMIT" has_started 3
            kill -TERM "$AJOB_PID"
        fi
        if [[ $how == failure ]]; then
            # The failing one is the last to get a slot.
            wait_until "$WAIT_LIMIT" has_started 4
            let_go 2
        fi
        wait_ajob
        assert_equal "$how: $(tokens)" "$how: abc"
    done
}

@test "a token that somebody else gives back lets another command start" {
    give_tokens a
    start_ajob run "${JOBS[@]}"
    wait_until "$WAIT_LIMIT" has_started 2
    printf b >&8
    at_once 3 5
    assert_success
    assert_equal "$(tokens)" ab
}

@test "--jobserver pipe: the commands and the makes among them share N slots" {
    printf 'all: a b c d\na b c d: ; @sh job $(X)$@\n' >Makefile
    start_ajob run -j 3 --jobserver pipe --exec 'm=make X=m' --exec 'n=make X=n'
    at_once 3 8
    assert_success
    refute_stderr --partial warning
}

@test "--jobserver fifo: it is there for the commands, and gone afterwards" {
    cat >look <<'END'
fifo=${MAKEFLAGS##*--jobserver-auth=fifo:}
test -p "$fifo" && dd bs=64 count=1 iflag=nonblock <"$fifo" 2>/dev/null | wc -c
END
    run_ajob run -j 3 --jobserver fifo --exec 'a=sh look >seen'
    assert_success
    assert_equal "$(<seen)" 2
}

@test "what is in MAKEFLAGS stays there, and env of a task goes before it" {
    MAKEFLAGS='k -j9 --jobserver-auth=3,4 -- X=1' run_ajob run -j 3 --jobserver pipe \
        --exec 'a=echo "$MAKEFLAGS" >a' --exec 'b=env MAKEFLAGS=mine sh -c "echo \$MAKEFLAGS >b"'
    assert_success
    [[ $(<a) =~ ^k\ -j3\ --jobserver-auth=[0-9]+,[0-9]+\ --\ X=1$ ]] || fail "$(<a)"
    echo '{"tasks": {"a": {"sh": "echo $MAKEFLAGS >a", "env": {"MAKEFLAGS": "mine"}}}}' >ci.json
    run_ajob run ci.json -j 3 --jobserver pipe
    assert_success
    assert_equal "$(<a)" mine
}

@test "a service's descriptor is its own under make, whose pipe has the same number" {
    cat >ci.json <<'END'
{"tasks": {"db": {"service": "echo up >&3; sleep 600 & wait", "ready": {"fd": 3}},
           "user": {"sh": "make -f Sub", "needs": ["db"]}}}
END
    printf 'all: ; +@"$$AJOB" run --events events ci.json\n' >Makefile
    printf 'all: a b\na b: ; @echo $@ >>log\n' >Sub
    start_make -j3
    wait_ajob
    assert_success
    refute_stderr --partial warning
    assert_equal "$(events events 'event == "task.ready"' value)" up
    assert_equal "$(sort log | paste -sd' ')" 'a b'
}
