# Lack of memory: AJOB_FAULT=alloc:N makes the N-th allocation fail. `make faults` does
# this for more kinds of runs, and sees what the run after it makes of what is left.

load ../helpers

setup() {
    common_setup
    expect_status 125
}
teardown() { common_teardown; }

# each_allocation CHECK COMMAND...: runs ajob with every allocation failing in turn, until
# many in a row have not minded, and calls CHECK each time
each_allocation() {
    local n calm=0 minded=0
    for ((n = 1; calm < 12; n++)); do
        rm -rf out
        AJOB_FAULT=alloc:$n run_ajob "${@:2}"
        [[ " 0 1 125 " == *" $status "* ]] || fail_with_output "alloc:$n" || return
        if ((status)); then
            [[ $stderr == *memory* ]] || fail_with_output "alloc:$n: not a word" || return
            calm=0
            ((minded += 1))
        else
            ((calm += 1))
        fi
        "$1" || fail_with_output "alloc:$n" || return
    done
    ((minded > 10)) || fail "only $minded allocations were minded"
}

whole_or_not_at_all() {
    if ((status == 0)) || [[ -e out/a ]]; then
        assert_body out/a 1 20K
    fi
}

@test "get, whichever allocation fails: a clear word, and the whole file or none" {
    start_server
    expect_part
    each_allocation whole_or_not_at_all get -r 0 -d out "$MAIN/f/a?size=20K&seed=1"
    # What the last failure has left misleads nobody.
    run_ajob get -d out "$MAIN/f/a?size=20K&seed=1"
    assert_success
    assert_body out/a 1 20K
    assert_tree out a
}

right_if_at_all() { ((status)) || assert_output $'c\nd\nc d'; }

@test "run, whichever allocation fails: the right output, or a clear word" {
    echo '{"tasks": {"a": {"sh": ["echo c", "echo d"]}, "b": {"exec": ["echo", "c d"], "needs": ["a"]}}}' >ci.json
    each_allocation right_if_at_all run ci.json
}

@test "check, whichever allocation fails: a right spec is never called wrong" {
    echo '{"tasks": {"a": {"sh": ["echo c", "echo d"]}, "b": {"exec": ["echo", "${a.stdout}"]}}}' >ci.json
    each_allocation true check ci.json
}
