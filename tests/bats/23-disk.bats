# Directories and disks: what is full, closed, taken, or used by two at once.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# As an ordinary user, whom permissions stop.
as_nobody() {
    if ((EUID == 0)); then
        setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
    else
        "$@"
    fi
}

# collect COMMAND...: as run_ajob, for a command around it
collect() {
    "$@" >"$AJOB_OUT" 2>"$AJOB_ERR" 3>&- && status=0 || status=$?
    collect_ajob
}

@test "a full disk: one clear line, no second try, no file" {
    on_small_disk 1M true 2>/dev/null || skip "no file system can be mounted here"
    start_server
    local length
    for length in '' '&chunked=1'; do
        # shellcheck disable=SC2016
        collect on_small_disk 1M sh -c '"$AJOB" get --segments 1 --retry-delay 1ms -d small "$1"; code=$?; ls -A small >left; exit $code' _ \
            "$MAIN/f/a?size=3M$length"
        assert_failure 1
        assert_equal "$(head -n 1 <<<"$stderr")" "ajob: get: $MAIN/f/a: a.part: No space left on device"
        refute_stderr --partial retrying
        assert_equal "$(grep -vc '^a.part' left)" 0 # what has arrived may stay, under that name
    done
    assert_requests 2
}

@test "a write that fails, at whichever place" {
    start_server
    for n in 1 2 3 4; do
        rm -rf out
        AJOB_FAULT=write:$n run_ajob get -d out --retry-delay 1ms "$MAIN/f/a?size=600K&seed=1"
        if ((status == 0)); then
            assert_body out/a 1 600K
        else
            assert_failure 1
            assert_stderr --partial 'No space left on device'
            refute_stderr --partial retrying
            refute_exists out/a
            # It goes on from there when there is room again.
            run_ajob get -d out "$MAIN/f/a?size=600K&seed=1"
            assert_success
            assert_body out/a 1 600K
        fi
    done
}

@test "a directory that may not be written" {
    start_server
    mkdir closed open && chmod 755 . && chmod 555 closed && chmod 777 open
    collect as_nobody "$AJOB" get -d closed "$MAIN/f/a?size=5"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/a: a.part: Permission denied"
    collect as_nobody "$AJOB" get -d closed/new/dir "$MAIN/f/a?size=5"
    assert_failure 1
    assert_stderr --partial 'closed/new/dir: '
    assert_requests 0
    collect as_nobody "$AJOB" get -d open "$MAIN/f/a?size=5"
    assert_success
    # A file that may not be read, in a directory that may be written, is replaced.
    chmod 000 open/a
    collect as_nobody "$AJOB" get -d open "$MAIN/f/a?size=5"
    assert_success
    assert_tree . closed/ open/a
}

@test "events, lists and certificates that may not be read or written" {
    echo x >secret && chmod 000 secret
    mkdir closed && chmod 555 closed
    collect as_nobody "$AJOB" get --events closed/e http://127.0.0.1:1/a
    assert_failure 2
    assert_stderr 'ajob: get: --events: closed/e: Permission denied'
    collect as_nobody "$AJOB" get -i secret
    assert_failure 2
    assert_stderr --partial 'secret: cannot be read: Permission denied'
    collect as_nobody "$AJOB" download --token-file secret o/r
    assert_failure 2
    assert_stderr --partial 'secret: cannot be read: Permission denied'
}

@test "DIR and its parents are made, with the umask" {
    start_server
    (umask 027 && "$AJOB" get -d a/b/c// "$MAIN/f/x?size=5" 2>/dev/null 3>&-)
    assert_tree . a/b/c/x
    assert_equal "$(stat -c %a a a/b a/b/c a/b/c/x | tr '\n' ' ')" '750 750 750 640 '
    run_ajob get -d "$PWD/abs/dir" "$MAIN/f/x?size=5"
    assert_success
    ln -s a/b link
    run_ajob get -d link/c "$MAIN/f/y?size=5"
    assert_success
    assert_exists a/b/c/y
}

@test "two runs on one file: one writes, the other says so; the file is whole" {
    start_server
    start_ajob get "$MAIN/f/a?size=2M&seed=1&latch=go&latch_at=1M"
    wait_for_request ' held$'
    wait_until 60 test -s a.part
    "$AJOB" get -r 0 "$MAIN/f/a?size=2M&seed=1&latch=go&latch_at=1M" 2>second 3>&- && status=0 || status=$?
    assert_equal "$status" 1
    grep -q "ajob: get: $MAIN/f/a: a.part: another download is writing it" second
    assert_requests 1
    open_latch go
    wait_ajob
    assert_success
    assert_body a 1 2M
    assert_tree . a second
}

@test "many runs on one file at once: it is one of their bodies, whole" {
    start_server
    local i pids=()
    for i in {1..8}; do
        "$AJOB" get -q -r 50 --retry-delay 1ms "$MAIN/f/a?size=1M&seed=$i" >/dev/null 2>&1 3>&- &
        pids+=($!)
    done
    local succeeded=0
    for i in "${pids[@]}"; do
        ! wait "$i" || succeeded=$((succeeded + 1))
    done
    ((succeeded >= 1))
    assert_equal "$(stat -c %s a)" 1048576
    local sum all
    sum=$(sha256sum <a)
    all=$(for i in {1..8}; do body_sha256 "$i" 1M; done)
    [[ $all == *"${sum%% *}"* ]] || fail "a mixture"
    assert_tree . a
}

@test "what another program puts in the part's place does not become the file" {
    start_server
    start_ajob get -r 0 "$MAIN/f/a?size=2M&seed=1&latch=go&latch_at=1M"
    wait_for_request ' held$'
    wait_until 60 test -s a.part
    rm a.part
    echo other >a.part
    open_latch go
    wait_ajob
    if ((status == 0)); then
        assert_body a 1 2M
    else
        refute_exists a
    fi
    expect_part
}

@test "the exit status tells" {
    start_server
    run_ajob get "$MAIN/f/ok?size=5"
    assert_failure 0
    run_ajob get "$MAIN/f/no?status=404"
    assert_failure 1
    run_ajob get
    assert_failure 2
    run_ajob get --timeout 100ms "$MAIN/f/late?latch=go"
    assert_failure 124
    open_latch go
}

@test "the room that a killed process had asked for goes: a part or file takes what it has" {
    start_server
    touch a.part
    fallocate -n -l 100M a.part || skip "the disk makes no room"
    run_ajob get "$MAIN/f/a?size=300K&seed=1"
    assert_success
    assert_body a 1 300K
    (($(stat -c %b a) < 10000)) || fail "$(stat a)"
    local url="$MAIN/f/b?size=2M&seed=1&reset_at=1M&times=1"
    run_ajob get -r 0 "$url"
    expect_part
    fallocate -n -l 100M b.part
    no_proxy='' NO_PROXY='' http_proxy=http://127.0.0.1:1 run_ajob get -r 0 "$url"
    assert_failure 1
    assert_tree . a b.part b.part.json
    (($(stat -c %b b.part) < 10000)) || fail "$(stat b.part)"
}

@test "a disk that fails with the last bytes of a broken connection: that is the cause, and no retry" {
    start_server
    limited() { (ulimit -f 280 && exec "$AJOB" "$@"); }
    run --separate-stderr limited get --retry-delay 1ms "$MAIN/f/a?size=500K&seed=1&reset_at=300K&times=1"
    assert_failure 1
    assert_stderr --partial 'a.part: File too large'
    assert_requests 1
    expect_part
}

@test "a disk that fails after another stream has: the cause is the disk, alone" {
    start_server
    ulimit -f 1000
    start_ajob get --segments 2 --sha256 "$(body 1 4M | sha256sum | cut -c1-64)" --mirror "$MAIN/f/b?status=503" \
        "$MAIN/f/a?size=4M&seed=1&latch=go&latch_at=100K"
    wait_for_request ' 503 '
    open_latch go
    expect_status 1
    wait_ajob
    assert_stderr --partial "a.part: File too large"
    refute_stderr --partial 'HTTP 503'
    expect_part
}
