# Disks that fail, at whichever place: no wrong file, one clear line, and the next run mends it.

load ../helpers

SIZE=200K

setup() { common_setup; }
teardown() { common_teardown; }

# fault_everywhere KIND WHY COMMAND...: the command (which brings out/a, $SIZE of seed 1)
# with the n-th call of that kind failing, for every n until none is reached any more; it
# begins with what is in ./before. Sets reached. With STEP=N for every N-th n.
fault_everywhere() {
    local kind=$1 why=$2 n
    shift 2
    mkdir -p before
    for ((n = 1; n < 100; n += ${STEP:-1})); do
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

@test "a file is synced before it has its name, and the directory after that" {
    start_server
    echo old >a
    AJOB_FAULT=fsync:1 run_ajob get --fsync "$MAIN/f/a?size=$SIZE&seed=1"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/a: fsync: a: Input/output error"
    refute_stderr --partial retrying
    assert_equal "$(<a)" old
    assert_tree . a # nor is the part trusted any more: its pages may be marked clean
    rm a
    AJOB_FAULT=fsync:2 run_ajob get --fsync "$MAIN/f/a?size=$SIZE&seed=1"
    assert_failure 1
    assert_stderr --partial 'fsync: the directory: Input/output error; the file is there, but a power cut may undo that'
    assert_body a 1 "$SIZE"
    assert_tree . a
    # That it is up to date does not say that it is synced.
    AJOB_FAULT=fsync:1 run_ajob get --fsync "$MAIN/f/a?size=$SIZE&seed=1"
    assert_failure 1
    assert_stderr --partial 'fsync: a: Input/output error; the file is there, but a power cut may undo that'
    AJOB_FAULT=fsync:2 run_ajob get --fsync --sha256 "$(body_sha256 1 "$SIZE")" "$MAIN/f/a?size=$SIZE&seed=1"
    assert_failure 1
    assert_stderr --partial 'fsync: the directory: '
    AJOB_FAULT=fsync:3 run_ajob get --fsync "$MAIN/f/a?size=$SIZE&seed=1"
    assert_success
    assert_stderr --partial 'up to date'
    assert_tree . a
    AJOB_FAULT=fsync:3 run_ajob get --fsync -d other "$MAIN/f/a?size=$SIZE&seed=1"
    assert_success
    assert_body other/a 1 "$SIZE"
    AJOB_FAULT=fsync:1 run_ajob get -d third "$MAIN/f/a?size=$SIZE&seed=1"
    assert_success # nothing is synced that nobody asked for
}

@test "a release that is synced: each asset on its own" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": "200K", "seed": 1}, {"name": "b", "size": "200K", "seed": 2}]}]}}}'
    AJOB_FAULT=fsync:1 run_ajob download --fsync -j 1 -d out --flat o/r
    assert_failure 1
    assert_stderr --partial 'fsync: '
    assert_stderr --partial '1 downloaded, 1 failed'
    assert_equal "$(tree out | wc -l)" 1
    run_ajob download --fsync -d out --flat o/r
    assert_success
    assert_body out/a 1 200K
    assert_body out/b 2 200K
    assert_tree out a b
}

@test "writes and renames that fail: of a file that comes in pieces, with a digest" {
    start_server
    local sum command
    sum=$(body_sha256 1 2M)
    SIZE=2M
    command=(get --segments 4 --sha256 "$sum" -d out "$MAIN/f/a?size=2M&seed=1&slow=16M")
    fault_everywhere rename ': Input/output error' "${command[@]}"
    ((reached >= 3)) # notes, and the file
    ((STEP = 9))
    fault_everywhere write 'No space left on device' "${command[@]}"
    ((reached >= 14))
    (($(max_inflight) >= 3))
}
