# One file that several servers have: who is asked when, and what may be put together.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

SIZE='size=500K&seed=1'

# What went wrong before it went well, one attempt on each line
retried() { events events 'event == "task.retrying"' cause delay; }

@test "what one server does not have the next is asked for at once" {
    start_server
    run_ajob get -r 0 --retry-delay 10s --events events -o a --mirror "$STORAGE/f/a?$SIZE" "$MAIN/f/a?status=404"
    assert_success
    assert_body a 1 500K
    assert_tree . a events
    assert_requests 2
    assert_equal "$(retried)" "$MAIN/f/a: HTTP 404 (Not Found)"$'\t0.0'
    assert_stderr --partial "retrying a at once (attempt 2): $MAIN/f/a: HTTP 404"
    assert_equal "$(events events 'event == "task.ended"' url attempts)" "$STORAGE/f/a"$'\t2'
}

@test "whatever fails: a status, no connection, a wrong digest, a wrong size" {
    start_server
    local sum
    sum=$(body_sha256 1 500K)
    run_ajob get -r 0 --events events --sha256 "$sum" -o a --mirror "$MAIN/f/a?size=500K&seed=2" \
        --mirror "$MAIN/f/b?$SIZE&status=503" --mirror "$MAIN/f/c?size=500K&seed=3" --mirror "$STORAGE/f/a?$SIZE" http://127.0.0.1:1/f/a
    assert_success
    assert_body a 1 500K
    assert_tree . a events
    assert_equal "$(retried | grep -c $'\t0.0$')" "$(retried | wc -l)"
    [[ $(retried) == "http://127.0.0.1:1/f/a: Connection refused"*"$MAIN/f/c: sha256 mismatch"* ]]
    assert_requests 1 "storage GET"
}

@test "when all have failed that is told of each, and the last one's cause is the end's" {
    start_server
    run_ajob get -r 0 --events events -o a --mirror "$MAIN/f/b?status=403" --mirror "$MAIN/f/c?status=410" "$MAIN/f/a?status=404"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/c: HTTP 410 (Gone)"
    assert_equal "$(retried)" "$MAIN/f/a: HTTP 404 (Not Found)"$'\t0.0\n'"$MAIN/f/b: HTTP 403 (Forbidden)"$'\t0.0'
    assert_tree . events
}

@test "a retry is a new round, with those that may do better" {
    start_server
    run_ajob get -r 1 --retry-delay 1ms --events events -o a --mirror "$MAIN/f/b?status=404" "$MAIN/f/a?$SIZE&status=503&times=1"
    assert_success
    assert_body a 1 500K
    assert_equal "$(requests . target | sed 's/?.*//')" $'/f/a\n/f/b\n/f/a'
}

@test "a full disk is no reason to ask another server" {
    start_server
    mkdir a
    run_ajob get -r 2 --retry-delay 1ms -o a --mirror "$MAIN/f/b?$SIZE" "$MAIN/f/a?$SIZE"
    assert_failure 1
    assert_stderr --partial 'is a directory'
    assert_requests 0
}

@test "Ctrl-C asks nobody else" {
    start_server
    start_ajob get --events events -o a --mirror "$STORAGE/f/a?$SIZE" "$MAIN/f/a?$SIZE&latch=go"
    wait_for_request ' held$'
    expect_status 130
    kill -INT "$AJOB_PID"
    wait_ajob
    assert_failure 130
    assert_requests 1
    assert_equal "$(retried)" ''
    open_latch go
}

@test "tokens and headers are for the first one's origin alone" {
    start_server
    run_ajob get -r 0 -H 'X-Api-Key: secret' -o a --mirror "$MAIN/f/b?status=404" --mirror "$STORAGE/f/a?$SIZE" "$MAIN/f/a?status=404"
    assert_success
    assert_equal "$(requests 'main GET' headers.x-api-key)" $'secret\nsecret'
    assert_equal "$(requests 'storage GET' headers.x-api-key)" ''
    refute_stderr --partial secret
}

@test "with a digest any server's bytes go on with any other's" {
    start_server
    run_ajob get -r 0 --segments 1 --sha256 "$(body_sha256 1 500K)" -o a \
        --mirror "$STORAGE/f/a?$SIZE&etag=none&lm=none" "$MAIN/f/a?$SIZE&reset_at=300K"
    assert_success
    assert_body a 1 500K
    assert_equal "$(requests 'storage GET' headers.range headers.if-range)" $'bytes=307200-\t'
    assert_stderr --partial 'resumed at 300.0 KiB'
}

@test "without one nothing is put together from two, whatever they call it" {
    start_server
    local same='size=500K&etag=%22same%22'
    run_ajob get -r 0 --events events -o a --mirror "$STORAGE/f/a?$same&seed=2" "$MAIN/f/a?$same&seed=1&reset_at=300K"
    assert_success
    assert_body a 2 500K
    assert_requests 1 'storage GET .* 200 ok$'
    assert_stderr --partial 'a: starting over: what is there is from another server, and no digest is known'
    assert_equal "$(events events 'event == "task.ended"' resumed_from)" 0
    # One server, and one path.
    run_ajob get -r 0 -o a2 --mirror "$MAIN/f/a?$same&seed=4" "$MAIN/f/a?$same&seed=3&reset_at=300K"
    assert_success
    assert_body a2 4 500K
    run_ajob get -r 0 -o a3 --mirror "$MAIN/f/a?size=500K&seed=6&etag=none" "$MAIN/f/a?size=500K&seed=5&etag=none&reset_at=300K"
    assert_success
    assert_body a3 6 500K
    # Another ETag; none at all, from one that heeds no If-Range; a date alone.
    run_ajob get -r 0 -o b --mirror "$STORAGE/f/b?size=500K&seed=2" "$MAIN/f/b?$SIZE&reset_at=300K"
    assert_success
    assert_body b 2 500K
    run_ajob get -r 1 --retry-delay 1ms -o c --mirror "$STORAGE/f/c?size=500K&seed=2&etag=none&if_range=ignore" "$MAIN/f/c?$SIZE&reset_at=300K&times=1"
    assert_success
    [[ $(body 1 500K | sha256sum) == "$(sha256sum <c)" || $(body 2 500K | sha256sum) == "$(sha256sum <c)" ]]
    run_ajob get -r 0 -o d --mirror "$STORAGE/f/d?size=500K&seed=2&etag=none" "$MAIN/f/d?$SIZE&etag=none&reset_at=300K"
    assert_success
    assert_body d 2 500K
    assert_tree . a a2 a3 b c d events
}

@test "what one server has brought waits for it, as long as no other one answers" {
    start_server
    expect_part
    run_ajob get -r 0 -o a --mirror "$STORAGE/f/a?$SIZE&reset_at=300K&times=1" "$MAIN/f/a?status=503"
    assert_failure 1
    run_ajob get -r 0 -o a --mirror "$STORAGE/f/a?$SIZE&reset_at=300K&times=1" "$MAIN/f/a?status=503"
    assert_success
    assert_body a 1 500K
    assert_equal "$(requests 'storage GET' headers.range)" $'\nbytes=307200-'
    assert_requests 2 'main GET'
    assert_tree . a
}

@test "a run again begins with the first one, whose part it is not" {
    start_server
    expect_part
    run_ajob get -r 0 -o a --mirror "$STORAGE/f/a?$SIZE&etag=%22other%22&reset_at=300K" "$MAIN/f/a?status=503"
    assert_failure 1
    assert_tree . a.part a.part.json
    run_ajob get -r 0 -o a --mirror "$STORAGE/f/a?$SIZE" "$MAIN/f/a?status=503"
    assert_success
    assert_body a 1 500K
}

@test "segments come from all servers where a digest proves the whole" {
    start_server
    local file='size=2M&seed=1&latch=go&latch_at=100K'
    start_ajob get --segments 4 --sha256 "$(body_sha256 1 2M)" --events events -o a \
        --mirror "$STORAGE/f/a?$file&etag=none&lm=none" "$MAIN/f/a?$file"
    wait_for_request 'main GET .* held$' 2
    wait_for_request 'storage GET .* held$' 2
    open_latch go
    wait_ajob
    assert_success
    assert_body a 1 2M
    assert_requests 2 'storage GET .* 206 ok$'
    # Without one they do not.
    run_ajob get --segments 4 -o b --mirror "$STORAGE/f/b?$file" "$MAIN/f/b?$file"
    assert_success
    assert_requests 0 'storage GET /f/b'
}

@test "one among several that has another file, or none, spoils nothing" {
    start_server
    local file='size=2M&seed=1&slow=4M'
    run_ajob get -r 1 --retry-delay 1ms --segments 4 --sha256 "$(body_sha256 1 2M)" -o a \
        --mirror "$STORAGE/f/a?status=404" --mirror "$STORAGE/f/b?size=3M&seed=1" "$MAIN/f/a?$file"
    assert_success
    assert_body a 1 2M
    refute_stderr --partial retrying
    # The same size, but other bytes: one clean attempt mends it.
    run_ajob get -r 1 --retry-delay 1ms --segments 4 --sha256 "$(body_sha256 1 2M)" -o b \
        --mirror "$STORAGE/f/c?size=2M&seed=2&slow=4M" "$MAIN/f/c?$file"
    assert_success
    assert_body b 1 2M
    assert_stderr --partial 'sha256 mismatch'
    assert_tree . a b
}
