# Killed at any moment, and two at once: what is under a file's name is whole.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# Here a few dozen kills; `make torture` has hundreds.
@test "killed at random moments until it succeeds: the file is right, and not fetched twice" {
    local seed=$RANDOM
    "$PYTHON" "$TESTS_DIR/torture.py" --kills 36 --seed "$seed" >torture 3>&- ||
        fail "again with: tests/torture.py --kills 36 --seed $seed" "$(<torture)"
    assert_equal "$(grep -c '^ok ' torture)" "$(sed -n 's/^1\.\.//p' torture)"
}

@test "killed before it is asked for anything: nothing is there, or a part that is worth nothing" {
    start_server
    start_ajob get "$MAIN/f/a?size=2M&seed=1&latch=go"
    wait_for_request ' held$'
    kill -KILL "$AJOB_PID"
    expect_status 137
    wait_ajob
    [[ $(tree .) == '' || $(tree .) == a.part ]]
    open_latch go
    run_ajob get "$MAIN/f/a?size=2M&seed=1"
    assert_success
    assert_body a 1 2M
    assert_tree . a
}

@test "half a note of a process that was killed goes" {
    start_server
    local url="$MAIN/f/a?size=2M&seed=1&reset_at=1M&times=1"
    run_ajob get -r 0 "$url"
    assert_failure 1
    head -c 20 a.part.json >a.part.json.tmp
    run_ajob get "$url"
    assert_success
    assert_body a 1 2M
    assert_tree . a
    assert_requests 1 ' 206 ok$'
}

@test "where locks do not work each has a part of its own, and the file is one of them, whole" {
    start_server
    local pids=() i
    for i in 1 2; do
        AJOB_FAULT=lock:1 "$AJOB" get "$MAIN/f/a?size=2M&seed=$i&latch=go&latch_at=1M" 2>"said$i" 3>&- &
        pids+=($!)
    done
    wait_for_request ' held$' 2
    parts() { set -- a.*.part && (($# == 2)) && [[ -s $1 && -s $2 ]]; }
    wait_until 60 parts
    [[ ! -e a.part && ! -e a ]]
    open_latch go
    wait "${pids[@]}"
    cmp -s a <(body 1 2M) || cmp -s a <(body 2 2M) || fail "a mixture"
    assert_tree . a said1 said2
}

@test "where locks do not work the part of another is left alone, and nothing is resumed" {
    start_server
    local url="$MAIN/f/a?size=2M&seed=1&reset_at=1M&times=2"
    run_ajob get -r 0 "$url"
    assert_tree . a.part a.part.json
    local before
    before=$(sha256sum a.part a.part.json)
    AJOB_FAULT=lock:1 run_ajob get -r 0 "$url"
    assert_failure 1
    assert_equal "$(sha256sum a.part a.part.json)" "$before"
    assert_tree . a.part a.part.json
    run_ajob get "$url"
    assert_success
    assert_body a 1 2M
    assert_tree . a
    assert_requests 1 ' 206 ok$'
}

@test "a part of its own whose process was killed goes when the file is next asked for, and no other" {
    start_server
    local url="$MAIN/f/a?size=2M&seed=1" left alive
    AJOB_FAULT=lock:1 start_ajob get -o a "$url&latch=never&latch_at=1M"
    wait_for_request ' held$'
    own() { left=$(echo a.*.part) && [[ -s $left ]]; }
    wait_until 10 own
    alive=$left
    AJOB_FAULT=lock:1 run_ajob get -o a "$url"
    assert_success
    assert_tree . a "$alive" # who writes it lives
    expect_status 137
    kill -KILL "$AJOB_PID"
    wait_ajob
    open_latch never
    local place=${alive##*-} pid=${alive#a.}
    pid=${pid%%-*}
    # Of elsewhere, of another file, of a process that lives, of no process, no file.
    touch "a.$pid-1-0.part" "a.$pid-1-0123456789abcdef.part" "aa.$pid-1-$place" "a.b.$pid-1-$place" "a.1-1-$place" \
        "a.-$pid-1-$place" "a.$pid-1-${place%.part}" "a.$pid--$place"
    mkdir "a.$pid-2-$place"
    ls >"$BATS_TEST_TMPDIR/before"
    touch "a.$pid-1-$place" "a.$pid-1-$place.json"
    rm a
    AJOB_FAULT=lock:1 run_ajob get -o a "$url"
    assert_success
    assert_body a 1 2M
    assert_equal "$(ls)" "$(grep -vxF "$alive" "$BATS_TEST_TMPDIR/before")"
    rm -r -- a.* aa.*
}

@test "where locks do not work a name as long as names get has a part, too" {
    start_server
    local name
    printf -v name '%0181d\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4%047d' 0 0 # cut within a character
    AJOB_FAULT=lock:1 run_ajob get -o "$name" "$MAIN/f/a?size=5&seed=1"
    assert_success
    assert_body "$name" 1 5
    assert_tree . "$name"
}
