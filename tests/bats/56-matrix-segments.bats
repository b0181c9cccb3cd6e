# The matrix of pieces: several connections for one file, and several servers, of which
# one lies. What comes of it is one version of the file, whole, or a failure.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# in_pieces PARAMETERS [OPTION...]: a file of 2 MiB over four connections, whole in the end
in_pieces() {
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get --segments 4 --per-host 16 --retry-delay 1ms --stall-timeout 1s "${@:2}" "$MAIN/f/a?size=2M&seed=1&slow=16M&$1"
    [[ $status == 0 ]] || fail_with_output "$1: expected success"
    assert_body a 1 2M || fail "$1"
    assert_tree . a
    rm a
    (($(requests_where '"range" in headers' target | wc -l) >= 3)) || fail "$1: it was not in pieces"
}

@test "ranges that go wrong, once: the file is right" {
    start_server
    local fault
    for fault in wrong_start=1 no_content_range=1 status=416 status=503 reset_at=100K length=10K rest200=1; do
        in_pieces "$fault&only=range&times=1"
    done
    # One that sends more than it says is not to be trusted with the rest.
    run_ajob get --segments 4 --per-host 16 -r 0 "$MAIN/f/a?size=2M&seed=1&slow=16M&more=7&only=range"
    assert_failure 1
    assert_stderr --partial 'the body is longer than the range it was said to be'
    refute_exists a
    rm -f a.part a.part.json
}

@test "ranges that go wrong, always: one connection brings the file" {
    start_server
    local fault
    for fault in range_unit=items status=403 status=429 empty=1 gzip=lie; do
        in_pieces "$fault&only=range"
    done
    in_pieces ranges=none
}

@test "ranges of another version, whatever they say of it: never a mixture" {
    start_server
    in_pieces 'range_etag=%22new%22&range_seed=2'
    in_pieces 'range_etag=%22new%22&range_seed=2&if_range=ignore'
    in_pieces 'range_etag=none&range_seed=2&if_range=ignore'
    in_pieces 'etag=none&range_lm=Thu,%2002%20Jan%202025%2000:00:00%20GMT&range_seed=2&if_range=ignore'
    # Without a sign of it a digest tells, and a clean start on one connection mends it.
    in_pieces 'etag=%22same%22&range_seed=2&if_range=ignore' --sha256 "$(body_sha256 1 2M)"
    assert_stderr --partial 'sha256 mismatch'
}

@test "a server that takes fewer connections gets fewer, and is not asked on and on" {
    start_server
    local most
    for most in 'most=1' 'most=1&most_with=reset' 'most=2&most_with=429'; do
        in_pieces "$most"
        (($(count_requests) <= 12)) || fail "$most: asked too often"
    done
}

@test "pieces begin at the URL that was given, each with a signature of its own" {
    start_server
    in_pieces 'redirect=storage&signed=1'
    assert_requests 0 ' 403 '
    assert_equal "$(count_requests '^main .* 302 ok$')" "$(count_requests '^storage')"
    run_ajob get --segments 4 --per-host 16 -H 'X-Api-Key: secret' "$MAIN/f/a?size=3M&seed=1&slow=24M&redirect=storage"
    assert_success
    assert_equal "$(requests_where '"x-api-key" in headers' listener | sort -u)" main
    assert_equal "$(requests_where 'listener == "main" and "x-api-key" not in headers and "signed" not in target')" ''
}

@test "pieces that were interrupted go on: what is here is not fetched again" {
    start_server
    local signal url="$MAIN/f/a?size=4M&seed=1&slow=8M&latch=go&latch_at=600K&times=4"
    for signal in INT KILL; do
        start_ajob get --segments 4 --per-host 16 "$url&$signal"
        wait_for_request "$signal held$" 3
        expect_status 130 137
        wait_until 60 test -s a.part.json
        kill "-$signal" "$AJOB_PID"
        wait_ajob
        refute_exists a
        assert_tree . a.part a.part.json
        run_ajob get --segments 4 --per-host 16 "$url&$signal"
        assert_success
        assert_body a 1 4M
        assert_tree . a
        assert_equal "$signal $(requests "&$signal " sent | awk '{ sum += $1 } END { print sum <= 4194304 * 1.6 }')" "$signal 1"
        rm a
    done
    open_latch go
}

@test "mirrors: the next one when one fails, in whatever way" {
    start_server
    local fault
    for fault in status=404 status=503 empty=1 reset_at=100K html=1; do
        run_ajob get --retry-delay 1ms --sha256 "$(body_sha256 1 3M)" --mirror "$STORAGE/f/m?size=3M&seed=1" "$MAIN/f/a?size=3M&seed=1&$fault"
        [[ $status == 0 ]] || fail_with_output "$fault"
        assert_body a 1 3M
        assert_tree . a
        rm a
    done
    run_ajob get -r 0 --mirror "$STORAGE/f/m?status=404" --mirror "$MAIN/f/n?status=410" "$MAIN/f/a?status=404"
    assert_failure 1
    assert_tree .
}

@test "a mirror that has another file is no mirror: never a mixture, and the right one with a digest" {
    start_server
    local other
    for other in 'size=3M&seed=2' 'size=2M&seed=1' 'size=3M&seed=2&etag=none&lm=none'; do
        run_ajob get --segments 4 --per-host 16 --retry-delay 1ms --sha256 "$(body_sha256 1 3M)" \
            --mirror "$STORAGE/f/m?$other&slow=24M" "$MAIN/f/a?size=3M&seed=1&etag=%22same%22&slow=24M"
        [[ $status == 0 ]] || fail_with_output "$other"
        assert_body a 1 3M
        rm a
        # Without one it is one of the two, whole.
        run_ajob get --retry-delay 1ms --mirror "$STORAGE/f/m?$other" "$MAIN/f/a?size=3M&seed=1&etag=%22same%22&reset_at=1M&times=9"
        if ((status == 0)); then
            cmp -s a <(body 1 3M) || cmp -s a <(ask_server _body $(sed 's/size=\(..\)&seed=\(.\).*/\2 \1/' <<<"$other")) || fail "a mixture with $other"
        fi
        rm -f a a.part a.part.json
    done
}
