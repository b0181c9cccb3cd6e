# The matrix of the local file system: limits, and what others do to a directory while a
# download writes to it. A file is the one that was asked for, or there is none of ours.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# A download of a, held after half of 2 MiB, which are on the disk by then.
held_download() { # ARG...
    start_ajob get -r 0 "$@" "$MAIN/f/a?size=2M&seed=1&latch=go&latch_at=1M&times=1"
    wait_for_request ' held$'
    half_is_there() { [[ -n $(find . -name 'a.part' -size +600k) ]]; }
    wait_until 60 half_is_there
}

release() {
    open_latch go
    wait_ajob
}

@test "a limit on the size of files: one clear line, no second try, no file; then it goes on" {
    start_server
    (ulimit -f 200 && exec "${AS_FROM_TERMINAL[@]}" "$AJOB" get --retry-delay 1ms -d out "$MAIN/f/a?size=600K&seed=1") >"$AJOB_OUT" 2>"$AJOB_ERR" 3>&- && status=0 || status=$?
    collect_ajob
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/a: a.part: File too large"
    refute_stderr --partial retrying
    refute_exists out/a
    assert_requests 1
    run_ajob get -d out "$MAIN/f/a?size=600K&seed=1"
    assert_success
    assert_body out/a 1 600K
    assert_tree . out/a
}

@test "what was there stays there until all of the new one is" {
    start_server
    echo old >a
    held_download
    assert_equal "$(<a)" old
    expect_status 130
    kill -INT "$AJOB_PID"
    wait_ajob
    assert_failure 130
    assert_equal "$(<a)" old
    run_ajob get --sha256 "$(body_sha256 2 2M)" -r 0 "$MAIN/f/a?size=2M&seed=1&latch=go&latch_at=1M&times=1"
    assert_failure 1 # the wrong digest
    assert_equal "$(<a)" old
    assert_tree . a
    run_ajob get --sha256 "$(body_sha256 1 2M)" "$MAIN/f/a?size=2M&seed=1&latch=go&latch_at=1M&times=1"
    assert_success
    assert_body a 1 2M
    open_latch go
}

@test "a target that another program makes meanwhile is replaced whole, or stays whole" {
    start_server
    held_download
    echo other >a
    release
    if ((status == 0)); then
        assert_body a 1 2M
    else
        assert_equal "$(<a)" other
        rm -f a.part a.part.json
    fi
    assert_tree . a
}

@test "a target that becomes a directory meanwhile is a failure, and the bytes are kept" {
    start_server
    expect_part
    held_download
    mkdir -p a/b
    release
    assert_failure 1
    assert_stderr --regexp "ajob: get: $MAIN/f/a: a: ([Ii]s a directory|File exists|Directory not empty)"
    [[ -d a/b ]]
    rmdir a/b a
    run_ajob get "$MAIN/f/a?size=2M&seed=1&latch=go&latch_at=1M&times=1"
    assert_success
    assert_body a 1 2M
    assert_tree . a
}

@test "a directory that is removed meanwhile is a failure that says so, and nothing is made elsewhere" {
    start_server
    held_download -d dir
    rm -r dir
    release
    assert_failure 1
    assert_stderr --regexp "ajob: get: $MAIN/f/a: a(\.part)?: "
    assert_tree .
}

@test "a directory that is moved away meanwhile: nothing is written to what takes its name" {
    start_server
    mkdir victim
    held_download -d dir
    mv dir moved
    ln -s victim dir
    release
    assert_equal "$(tree victim)" ''
    if ((status == 0)); then
        assert_body moved/a 1 2M
        assert_equal "$(tree moved)" a
    fi
    assert_equal "$(find . -name 'a*' -not -path './moved/*')" ''
    expect_part
}

@test "a directory that becomes read-only meanwhile: a failure, and the bytes are kept" {
    start_server
    expect_part
    mkdir dir && chmod 755 . && chmod 777 dir
    local user=()
    ((EUID != 0)) || user=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
    "${AS_FROM_TERMINAL[@]}" "${user[@]}" "$AJOB" get -r 0 -d dir "$MAIN/f/a?size=2M&seed=1&latch=go&latch_at=1M" \
        >"$AJOB_OUT" 2>"$AJOB_ERR" 3>&- &
    AJOB_PID=$!
    wait_for_request ' held$'
    wait_until 60 test -s dir/a.part
    chmod 555 dir
    release
    chmod 755 dir
    assert_failure 1
    assert_stderr --partial 'Permission denied'
    refute_exists dir/a
}

@test "a part that is taken away meanwhile never becomes the file" {
    start_server
    local how latch=0
    for how in 'rm a.part' 'mv a.part b' 'rm a.part; echo other >a.part' 'rm a.part; ln -s precious a.part' 'rm a.part; mkdir a.part' \
        'rm a.part; mkfifo a.part'; do
        echo precious >precious
        : >"$SERVER_STATE/requests.jsonl"
        latch=$((latch + 1))
        start_ajob get -r 0 "$MAIN/f/a?size=2M&seed=1&latch=$latch&latch_at=1M"
        wait_for_request ' held$'
        wait_until 60 test -s a.part
        eval "$how"
        open_latch "$latch"
        wait_ajob
        [[ $status != 0 ]] || assert_body a 1 2M
        [[ ! -e a ]] || assert_body a 1 2M
        assert_equal "$(<precious)" precious
        rm -rf a a.part a.part.json b
    done
}

@test "a file of another user's making keeps nothing but its mode" {
    start_server
    echo old >a
    chmod 640 a
    ln a second
    run_ajob get "$MAIN/f/a?size=5&seed=1"
    assert_success
    assert_body a 1 5
    assert_equal "$(<second)" old # the other name has what it had
    assert_equal "$(stat -c %a a)" 640
    chmod 4755 a
    run_ajob get "$MAIN/f/a?size=6&seed=1"
    assert_success
    assert_equal "$(stat -c %a a)" 755 # no more rights than it takes
}

@test "many assets, SIGKILL in the midst of them, and again: each right, little twice" {
    start_server "$("$PYTHON" -c 'import json; print(json.dumps({"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [
        {"name": f"{k}", "size": "1M", "seed": k, "query": "latch=go&latch_at=800K&times=1" if k > 3 else ""} for k in range(1, 8)]}]}}}))')"
    local k
    start_ajob download o/r
    wait_for_request '^storage .*held$' 4
    three_are_done() { [[ $(find v1 -name '[123]' | wc -l) == 3 ]]; }
    wait_until 60 three_are_done
    notes_are_there() { [[ $(find v1 -name '*.part' -size +500k | wc -l) == 4 ]]; }
    wait_until 60 notes_are_there
    expect_status 137
    kill -KILL "$AJOB_PID"
    wait_ajob
    open_latch go
    run_ajob download o/r
    assert_success
    assert_tree . v1/{1,2,3,4,5,6,7}
    for k in {1..7}; do assert_body v1/$k $k 1M; done
    assert_stderr --partial '3 up to date'
    (($(requests '^storage' sent | awk '{ sum += $1 } END { print sum }') <= 7 * 1048576 * 3 / 2))
}
