# What is promised of groups, cancelling, timeouts, retries, pools, shields and
# finalizers, seen from outside: causes and order are those of the events.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

EVENTS=events

# run_spec TASKS ARG...: runs a spec of these tasks
run_spec() {
    echo "{\"tasks\": {$1}}" >"$BATS_TEST_TMPDIR/spec.json"
    run_ajob run "$BATS_TEST_TMPDIR/spec.json" --events "$EVENTS" "${@:2}"
    assert_events "$EVENTS"
}

start_spec() { # TASKS ARG...
    echo "{\"tasks\": {$1}}" >"$BATS_TEST_TMPDIR/spec.json"
    start_ajob run "$BATS_TEST_TMPDIR/spec.json" --events "$EVENTS" "${@:2}"
}

# ended TASK: its status and cause
ended() { events "$EVENTS" "event == 'task.ended' and task == '$1'" status cause; }
attempts() { events "$EVENTS" "event == 'task.ended' and task == '$1'" attempts; }
run_ended() { events "$EVENTS" 'event == "run.ended"' "$@"; }
# seq WHAT TASK: when in the events
seq() { events "$EVENTS" "event == 'task.$1' and task == '$2'" seq; }

# assert_ended TASK STATUS [CAUSE]
assert_ended() { assert_equal "$(ended "$1")" "$2"$'\t'"${3-None}"; }
assert_never_started() { assert_equal "$(seq started "$1")" ""; }

has_event() { grep -q "$1" "$EVENTS" 2>/dev/null; }

# A command that says it is there by the file NAME, and waits until `let_go NAME`.
waits() { mkfifo "$1.go" && echo "echo \$\$ >$1.new && mv $1.new $1 && : >$1.go"; }
# One that does so when it is told to stop, and says that by NAME.stopped.
lingers() { mkfifo "$1.go" && echo "trap 'touch $1.stopped; : >$1.go; exit 0' TERM; echo \$\$ >$1.new; mv $1.new $1; while :; do sleep 0.05; done"; }

# while_stopped COMMAND...: all that happens meanwhile ajob sees in one turn of its loop.
while_stopped() {
    kill -STOP "$AJOB_PID"
    "$@"
    kill -CONT "$AJOB_PID"
}

# let_go NAME...: and waits until they are over
let_go() {
    local name gate
    for name in "$@"; do
        exec {gate}<>"$name.go" # never blocks
        wait_until "$WAIT_LIMIT" process_over "$(<"$name")"
        exec {gate}<&-
    done
}

all_exist() {
    local file
    for file in "$@"; do [[ -e $file ]] || return; done
}

# --- groups ------------------------------------------------------------------

@test "three failures in one turn: all are told, the first one first, and the run has failed once" {
    start_ajob gather --events "$EVENTS" --name a "$(waits a); exit 3" --name b "$(waits b); exit 4" --name c "$(waits c); exit 5"
    wait_until 60 all_exist a b c
    while_stopped let_go a b c
    wait_ajob
    assert_failure 1
    assert_events "$EVENTS"
    assert_ended a failed 'exit 3'
    assert_ended b failed 'exit 4'
    assert_ended c failed 'exit 5'
    first=$(events "$EVENTS" 'event == "task.ended"' task cause | head -n 1)
    assert_equal "$(run_ended status cause)" $'failed\t'"${first/$'\t'/: }"
}

@test "an inner and an outer group that fail at once both have their own failures" {
    start_spec "\"inner\": {\"group\": {\"x\": \"$(waits x); exit 3\", \"w\": \"sleep 1000\"}},
        \"y\": \"$(waits y); exit 4\""
    wait_until 60 all_exist x y
    while_stopped let_go x y
    wait_ajob
    assert_failure 1
    assert_events "$EVENTS"
    assert_ended inner/x failed 'exit 3'
    assert_ended y failed 'exit 4'
    [[ $(ended inner/w) == cancelled$'\t'* ]]
    assert_equal "$(run_ended status)" failed
}

@test "a group that is being cancelled is cancelled again: the first cause stays" {
    start_ajob gather --events "$EVENTS" --name a "$(waits a); exit 3" --name b "$(lingers b)"
    wait_until 60 all_exist a b
    let_go a
    wait_until 60 test -e b.stopped # told to stop by a's failure
    kill -INT "$AJOB_PID"
    wait_until 60 has_event run.cancelling
    let_go b
    expect_status 130
    wait_ajob
    assert_failure 130
    assert_events "$EVENTS"
    assert_ended a failed 'exit 3'
    assert_ended b cancelled 'cancelled by sibling a'
}

@test "an empty group succeeds at once, and what needs it runs" {
    run_spec '"none": {"group": {}}, "nothing": {"each": [], "do": "false"}, "after": {"sh": "touch after", "needs": ["none", "nothing"]}'
    assert_success
    assert_ended none succeeded
    assert_ended nothing succeeded
    assert_ended after succeeded
    assert_exists after
}

@test "a diamond: each runs once, and the last after both sides" {
    run_spec '"top": {"sh": "echo top >>order"},
        "left": {"sh": "echo side >>order", "needs": ["top"]},
        "right": {"sh": "echo side >>order", "needs": ["top"]},
        "bottom": {"sh": "echo bottom >>order", "needs": ["left", "right"]}' bottom
    assert_success
    assert_equal "$(cat order)" $'top\nside\nside\nbottom'
    assert_equal "$(run_ended counts.succeeded)" 4
}

@test "what needs a failure is skipped with the chain of reasons; what needs a cancelled one is cancelled" {
    run_spec '"a": {"sh": "exit 3"}, "b": {"sh": "touch b", "needs": ["a"]},
        "c": {"group": {"x": "touch x"}, "needs": ["b"]}, "d": {"sh": "touch d", "needs": ["c"]},
        "e": {"sh": "touch e"}' -k
    assert_failure 1
    assert_tree . e "$EVENTS"
    assert_ended b skipped 'a failed: exit 3'
    assert_ended c skipped 'b skipped: a failed: exit 3'
    assert_ended d skipped 'c skipped: b skipped: a failed: exit 3'
    assert_never_started c/x
    assert_ended e succeeded

    start_spec "\"a\": \"$(waits a)\", \"b\": {\"sh\": \"touch b\", \"needs\": [\"a\"]}"
    wait_until 60 test -e a
    kill -TERM "$AJOB_PID"
    expect_status 143
    wait_ajob
    assert_failure 143
    assert_ended a cancelled 'cancelled by SIGTERM'
    assert_ended b cancelled 'cancelled by SIGTERM'
    assert_never_started b
}

@test "any: the first success cancels the rest, all failures are a failure" {
    run_spec '"g": {"policy": "any", "group": {"a": "exit 3", "b": {"sh": "true", "needs": []}, "c": "sleep 1000"}}'
    assert_success
    assert_ended g succeeded
    assert_ended g/b succeeded
    assert_ended g/c cancelled 'cancelled by sibling g/b'
    run_spec '"g": {"policy": "any", "group": {"a": "exit 3", "b": "exit 4"}}'
    assert_failure 1
    [[ $(ended g) == failed* ]]
}

@test "race: the first to end decides, a failure too" {
    run_spec '"g": {"policy": "race", "group": {"a": "exit 3", "b": "sleep 1000"}}'
    assert_failure 1
    assert_ended g failed 'a: exit 3'
    assert_ended g/b cancelled 'cancelled by sibling g/a'
    run_spec '"g": {"policy": "race", "group": {"a": "true", "b": "sleep 1000"}}'
    assert_success
}

@test "a task that was told to stop is cancelled, whatever it then does, and how it exited is recorded" {
    start_ajob gather --events "$EVENTS" --name a "$(lingers a)"
    wait_until 60 test -e a
    kill -TERM "$AJOB_PID"
    wait_until 60 test -e a.stopped
    let_go a
    expect_status 143
    wait_ajob
    assert_failure 143
    assert_equal "$(events "$EVENTS" 'event == "task.ended"' status cause exit)" $'cancelled\tcancelled by SIGTERM\t0'
}

# --- timeouts and retries ----------------------------------------------------

@test "a timeout of 0 never starts a task" {
    run_spec '"a": {"sh": "touch a", "timeout": 0}, "b": {"sh": "touch b", "needs": ["a"]}'
    assert_failure 1
    assert_tree . "$EVENTS"
    assert_ended a timed_out 'timeout 0s'
    assert_never_started a
    assert_ended b skipped 'a: timeout 0s'
}

@test "an inner and an outer timeout that expire together: the outer one is the cause" {
    start_spec "\"g\": {\"timeout\": 0.5, \"group\": {\"a\": {\"timeout\": 0.5, \"sh\": \"$(waits a)\"}}}"
    wait_until 60 test -e a
    local until=$((${EPOCHREALTIME//[!0-9]/} + 1000000)) # it is time that is tested
    later() { ((${EPOCHREALTIME//[!0-9]/} > until)); }
    while_stopped wait_until 60 later
    wait_ajob
    assert_failure 1
    assert_ended g timed_out 'timeout 500ms'
    [[ $(ended g/a) == cancelled$'\t'*'timeout 500ms'* ]] || fail "$(ended g/a)"
}

@test "an inner timeout is a failure like any other; the run's own exits 124" {
    run_spec '"a": {"sh": "sleep 1000", "timeout": 0.1}, "b": "sleep 1000"'
    assert_failure 1
    assert_ended a timed_out 'timeout 100ms'
    assert_ended b cancelled 'cancelled by sibling a'
    run_spec '"a": "sleep 1000", "b": {"sh": "touch b", "needs": ["a"]}' --timeout 0.1
    assert_failure 124
    [[ $(ended a) == cancelled$'\t'*'timeout 100ms'* ]] || fail "$(ended a)"
    assert_equal "$(run_ended status exit)" $'timed_out\t124'
}

@test "a cancel during the backoff ends it at once, without another attempt" {
    start_spec '"a": {"sh": "echo x >>a; exit 3", "retry": {"max": 5, "delay": "1000s", "jitter": false}}'
    wait_until 60 has_event task.retrying
    kill -TERM "$AJOB_PID"
    expect_status 143
    wait_ajob
    assert_failure 143
    assert_ended a cancelled 'cancelled by SIGTERM'
    assert_equal "$(attempts a)" 1
    assert_equal "$(cat a)" x
}

@test "a failing sibling ends a backoff, and nothing is retried after it" {
    start_spec "\"a\": {\"sh\": \"exit 3\", \"retry\": {\"max\": 5, \"delay\": \"1000s\", \"jitter\": false}},
        \"b\": \"$(waits b); exit 4\", \"c\": {\"sh\": \"$(lingers c)\", \"retry\": 5}"
    wait_until 60 has_event task.retrying
    wait_until 60 all_exist b c
    let_go b
    wait_until 60 test -e c.stopped
    let_go c
    wait_ajob
    assert_failure 1
    assert_events "$EVENTS"
    assert_ended a cancelled 'cancelled by sibling b'
    assert_ended c cancelled 'cancelled by sibling b'
    assert_equal "$(attempts a) $(attempts c)" '1 1'
}

# --- pools -------------------------------------------------------------------

# start_pooled TASKS ARG...: with "pools": {"db": 1}
start_pooled() {
    echo "{\"pools\": {\"db\": 1}, \"jobs\": 8, \"tasks\": {$1}}" >"$BATS_TEST_TMPDIR/spec.json"
    start_ajob run "$BATS_TEST_TMPDIR/spec.json" --events "$EVENTS" "${@:2}"
}

@test "one that waits for a pool and is cancelled never starts, and the next one gets the slot" {
    start_pooled "\"a\": {\"sh\": \"$(waits a)\", \"pool\": \"db\"},
        \"g\": {\"timeout\": 0.2, \"allow_failure\": true, \"group\": {\"b\": {\"sh\": \"touch b\", \"pool\": \"db\"}}},
        \"c\": {\"sh\": \"touch c\", \"pool\": \"db\"}"
    wait_until 60 test -e a
    wait_until 60 has_event '"task":"g/b"' # it has ended while a holds the slot
    refute_exists c
    let_go a
    wait_ajob
    assert_success
    assert_never_started g/b
    [[ $(ended g/b) == cancelled$'\t'*'timeout 200ms'* ]] || fail "$(ended g/b)"
    assert_ended g timed_out 'timeout 200ms'
    (($(seq started c) > $(seq ended a)))
}

@test "what waits for a pool ends cancelled when the run is" {
    start_pooled "\"a\": {\"sh\": \"$(waits a)\", \"pool\": \"db\"}, \"b\": {\"sh\": \"touch b\", \"pool\": \"db\"}"
    wait_until 60 test -e a
    kill -INT "$AJOB_PID"
    expect_status 130
    wait_ajob
    assert_failure 130
    assert_ended b cancelled 'cancelled by SIGINT'
    assert_never_started b
}

@test "to want more of a pool than there is is a mistake in the spec, and nothing starts" {
    echo '{"pools": {"db": 1}, "tasks": {"a": {"sh": "touch a", "pool": {"db": 2}}, "b": "touch b"}}' >spec.json
    run_ajob run spec.json
    assert_failure 2
    assert_stderr --partial 'spec.json:1:'
    assert_stderr --partial db
    assert_tree . spec.json
}

# --- shields -----------------------------------------------------------------

@test "a shielded task outlives a failing sibling, and the group waits for it" {
    start_spec "\"a\": \"$(waits a); exit 3\", \"s\": {\"sh\": \"$(waits s); touch s.done\", \"shield\": true, \"timeout\": \"1000s\"}, \"w\": \"sleep 1000\""
    wait_until 60 all_exist a s
    let_go a
    wait_until 60 has_event '"task.ended","task":"w"'
    let_go s
    wait_ajob
    assert_failure 1
    assert_exists s.done
    assert_ended s succeeded
    assert_ended w cancelled 'cancelled by sibling a'
}

@test "a shielded task outlives the first signal, not the second" {
    for second in '' INT; do
        rm -f s s.done s.go
        start_spec "\"s\": {\"sh\": \"$(waits s); touch s.done\", \"shield\": true, \"timeout\": \"1000s\"}"
        wait_until 60 test -e s
        kill -INT "$AJOB_PID"
        wait_until 60 has_event run.cancelling
        if [[ $second ]]; then
            kill -INT "$AJOB_PID"
        else
            let_go s
        fi
        expect_status 130
        wait_ajob
        assert_failure 130
        if [[ $second ]]; then
            refute_exists s.done
            [[ $(ended s) == cancelled* ]]
        else
            assert_exists s.done
            assert_ended s succeeded
        fi
        rm "$EVENTS"
    done
}

@test "a shielded task's own timeout stops it; without one the spec is wrong" {
    run_spec '"s": {"sh": "sleep 1000", "shield": true, "timeout": 0.1}'
    assert_failure 1
    assert_ended s timed_out 'timeout 100ms'
    echo '{"tasks": {"s": {"sh": "touch s", "shield": true}}}' >spec.json
    run_ajob run spec.json
    assert_failure 2
    refute_exists s
}

# --- finalizers --------------------------------------------------------------

@test "finalizers run once what they need has ended: after success, failure, and skip" {
    local finalizers='"always": {"sh": "echo always >>ran", "needs": ["b"], "when": "always"},
        "failure": {"sh": "echo failure >>ran", "needs": ["b"], "when": "failure"}'
    run_spec "\"a\": \"true\", \"b\": {\"sh\": \"true\", \"needs\": [\"a\"]}, $finalizers"
    assert_success
    assert_equal "$(cat ran)" always
    [[ $(ended failure) == skipped$'\t'* ]]
    (($(seq started always) > $(seq ended b)))

    rm ran
    run_spec "\"a\": \"true\", \"b\": {\"sh\": \"exit 3\", \"needs\": [\"a\"]}, $finalizers"
    assert_failure 1 # they do not make a success of it
    assert_equal "$(sort ran)" $'always\nfailure'

    rm ran
    run_spec "\"a\": \"exit 3\", \"b\": {\"sh\": \"true\", \"needs\": [\"a\"]}, $finalizers"
    assert_failure 1
    assert_ended b skipped 'a failed: exit 3'
    assert_equal "$(sort ran)" $'always\nfailure'
}

@test "a finalizer without needs runs after all other tasks of its group" {
    run_spec '"g": {"group": {"clean": {"sh": "echo clean >>ran", "when": "always"}, "a": "echo a >>ran", "b": {"sh": "echo b >>ran", "needs": ["a"]}}},
        "after": {"sh": "echo after >>ran", "needs": ["g"]}'
    assert_success
    assert_equal "$(cat ran)" $'a\nb\nclean\nafter'
}

@test "finalizers run after the first signal, not after the second" {
    for second in '' TERM; do
        start_spec "\"a\": \"$(lingers a)\", \"clean\": {\"sh\": \"touch cleaned\", \"needs\": [\"a\"], \"when\": \"always\"}" --grace 1000s
        wait_until 60 test -e a
        kill -TERM "$AJOB_PID"
        wait_until 60 test -e a.stopped
        if [[ $second ]]; then
            kill -TERM "$AJOB_PID"
        else
            let_go a
        fi
        expect_status 143
        wait_ajob
        assert_failure 143
        [[ $(ended a) == cancelled* ]]
        if [[ $second ]]; then
            refute_exists cleaned
            assert_never_started clean
        else
            assert_exists cleaned
            assert_ended clean succeeded
        fi
        rm -f a a.go a.stopped cleaned "$EVENTS"
    done
}

@test "a failing finalizer is a failure; its own timeout stops it" {
    run_spec '"a": "true", "clean": {"sh": "exit 3", "when": "always"}'
    assert_failure 1
    assert_ended clean failed 'exit 3'
    run_spec '"a": "true", "clean": {"sh": "sleep 1000", "when": "always", "timeout": 0.1}'
    assert_failure 1
    assert_ended clean timed_out 'timeout 100ms'
}

# --- services ----------------------------------------------------------------

@test "services stop in reverse order of their needs once nothing needs them" {
    local service="trap 'echo NAME stopped >>order; exit 0' TERM; echo NAME started >>order; echo up >NAME; while :; do sleep 0.05; done"
    run_spec "\"db\": {\"service\": \"${service//NAME/db}\", \"ready\": {\"file\": \"db\"}},
        \"web\": {\"service\": \"${service//NAME/web}\", \"ready\": {\"file\": \"web\"}, \"needs\": [\"db\"]},
        \"test\": {\"sh\": \"echo test >>order\", \"needs\": [\"web\"]}"
    assert_success
    assert_equal "$(cat order)" $'db started\nweb started\ntest\nweb stopped\ndb stopped'
    assert_ended db succeeded
    assert_ended web succeeded
}
