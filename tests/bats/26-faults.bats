# Disks that fail, at whichever place: no wrong file, one clear line, and the next run mends it.

load ../helpers

SIZE=200K

setup() { common_setup; }
teardown() { common_teardown; }

# fault_everywhere KIND WHY COMMAND...: the command (which brings out/a, $SIZE of seed 1)
# with the n-th call of that kind failing, for every n until none is reached any more; it
# begins with what is in ./before. Sets reached.
fault_everywhere() {
    local kind=$1 why=$2 n
    shift 2
    mkdir -p before
    for ((n = 1; n < 100; n++)); do
        rm -rf out
        cp -a before out
        AJOB_FAULT=$kind:$n run_ajob "$@"
        if ((status == 0)); then
            assert_body out/a 1 "$SIZE" || return
            assert_tree out a || return
            break
        fi
        assert_failure 1 || return
        assert_stderr --partial "$why" || return
        refute_stderr --partial retrying || return
        assert_equal "$(grep -c '^ajob: ' "$AJOB_ERR")" 1 || return
        if [[ -e before/a ]]; then
            cmp before/a out/a || fail "$kind:$n: what was there is not there" || return
        else
            refute_exists out/a || return
        fi
        run_ajob "$@" # it goes on when the disk is well again
        assert_success || return
        assert_body out/a 1 "$SIZE" || return
        assert_tree out a || return
    done
    reached=$((n - 1))
}

@test "a write that fails: of a new file" {
    start_server
    fault_everywhere write 'a.part: No space left on device' get -d out "$MAIN/f/a?size=$SIZE&seed=1"
    ((reached >= 10))
}

@test "a write that fails: of a file that is resumed, over an old one" {
    start_server
    expect_part
    SIZE=600K
    # The first request of each run breaks off; its note is written as well.
    run_ajob get -r 0 -d before "$MAIN/f/a?size=$SIZE&seed=1&reset_at=300K&times=1"
    assert_failure 1
    echo old >before/a
    fault_everywhere write 'No space left on device' get -d out "$MAIN/f/a?size=$SIZE&seed=1&reset_at=300K&times=1"
    ((reached >= 4))
    assert_equal "$(requests '' headers.range | grep -cv ^bytes=)" 1 # never from the beginning
}

@test "a write that fails: of an asset of a release" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": "200K", "seed": 1}]}]}}}'
    fault_everywhere write 'a.part: No space left on device' download --flat -d out o/r
    ((reached >= 10))
}

@test "a rename that fails: of a new file, of an old one, of an asset" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": "200K", "seed": 1}]}]}}}'
    fault_everywhere rename 'a: Input/output error' get -d out "$MAIN/f/a?size=$SIZE&seed=1"
    assert_equal "$reached" 1
    fault_everywhere rename 'a: Input/output error' download --flat -d out o/r
    assert_equal "$reached" 1
    mkdir -p before
    echo old >before/a
    fault_everywhere rename 'a: Input/output error' get -d out "$MAIN/f/a?size=$SIZE&seed=1"
    assert_equal "$reached" 1
}

@test "a rename that fails: of a note, and of the file after it" {
    start_server
    local n
    for n in 1 2; do
        AJOB_FAULT=rename:$n run_ajob get "$MAIN/f/a?size=2M&seed=1"
        assert_failure 1
        assert_stderr --partial "Input/output error"
        refute_exists a
        run_ajob get "$MAIN/f/a?size=2M&seed=1"
        assert_success
        assert_body a 1 2M
        assert_tree . a
        rm a
    done
    AJOB_FAULT=rename:3 run_ajob get "$MAIN/f/a?size=2M&seed=1"
    assert_success
}

@test "a note that cannot be written after a failure: nothing is kept that could mislead" {
    start_server
    local SIZE=600K
    local url="$MAIN/f/a?size=$SIZE&seed=1&reset_at=300K&times=1"
    AJOB_FAULT=rename:1 run_ajob get -r 0 "$url"
    assert_failure 1
    assert_equal "$(tree .)" ''
    run_ajob get "$url"
    assert_success
    assert_body a 1 600K
}
