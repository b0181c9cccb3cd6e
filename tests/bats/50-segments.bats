# One file over several connections: who asks for what, and what becomes of it when servers
# do not play along.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

FILE='size=2M&seed=1'
PACED="$FILE&slow=4M" # so the first connection does not bring all before others begin

ranges_asked() { requests . headers.range | sort -V; }

# Bytes of bodies that were sent in all
sent() { requests . sent | awk '{ sum += $1 } END { print sum }'; }

# The ranges of the note, FIRST-LAST, one on each line
noted() {
    "$PYTHON" -c 'import json; [print(f"{a}-{b - 1}") for a, b in json.load(open("a.part.json"))["ranges"]]'
}

@test "so many connections as were asked for, each with its share" {
    start_server
    start_ajob get --segments 4 --events events "$MAIN/f/a?$FILE&latch=go&latch_at=100K"
    wait_for_request ' held$' 4
    assert_tree . a.part a.part.json events
    open_latch go
    wait_ajob
    assert_success
    assert_body a 1 2M
    assert_tree . a events
    assert_equal "$(ranges_asked)" $'\nbytes=524288-1048575\nbytes=1048576-1572863\nbytes=1572864-2097151'
    assert_requests 3 ' 206 ok$'
    assert_equal "$(requests 'a.* 206 ' headers.if-range | sort -u)" "$(curl -sSI "$MAIN/f/a?$FILE" | sed -n 's/^ETag: \(.*\)\r$/\1/p')"
    assert_equal "$(events events 'event == "task.ended"' bytes resumed_from attempts)" $'2097152\t0\t1'
}

@test "one connection where there is nothing to gain, or no way" {
    start_server
    run_ajob get "$MAIN/f/fast?$FILE" "$MAIN/f/small?size=300K&slow=1M"
    assert_success
    assert_requests 2
    # Encoded, without a length, without a strong validator, without a word of ranges, small.
    run_ajob get --segments 8 "$MAIN/f/gzip?$FILE&gzip=lie" "$MAIN/f/chunked?$FILE&chunked=1" \
        "$MAIN/f/weak?$FILE&etag=weak" "$MAIN/f/none?$FILE&etag=none&lm=none" "$MAIN/f/tiny?size=400K"
    assert_success
    assert_requests 7
    run_ajob get --segments 1 "$MAIN/f/one?$FILE"
    assert_success
    assert_requests 8
    assert_body one 1 2M
}

@test "connections are added while they add throughput" {
    start_server
    run_ajob get "$MAIN/f/a?size=4M&seed=1&slow=1M"
    assert_success
    assert_body a 1 4M
    (($(max_inflight) >= 3))
}

@test "a digest is verified though the bytes come in any order" {
    start_server
    run_ajob get --segments 4 --sha256 "$(body_sha256 1 2M)" "$MAIN/f/a?$PACED&etag=weak"
    assert_success
    assert_stderr --partial 'sha256 ok'
    assert_body a 1 2M
    assert_requests 3 ' 206 '
}

@test "what was put together and does not match comes once more in one piece" {
    start_server
    run_ajob get -r 1 --retry-delay 1ms --segments 4 --sha256 "$(body_sha256 1 2M)" "$MAIN/f/a?$PACED&range_seed=2&range_etag=none&etag=none"
    assert_success
    assert_body a 1 2M
    assert_stderr --partial 'retrying a '
    assert_stderr --partial 'sha256 mismatch'
    assert_requests 2 ' 200 '
    # And if that is wrong as well it is final.
    run_ajob get -r 3 --retry-delay 1ms --segments 4 --sha256 "$(body_sha256 1 2M)" -o b "$MAIN/f/b?size=2M&seed=2&slow=4M"
    assert_failure 1
    assert_stderr --partial 'ajob: get: '
    assert_requests 2 'f/b.* 200 '
    assert_tree . a
}

@test "a server that ignores ranges sends the file once" {
    start_server
    run_ajob get --segments 4 "$MAIN/f/a?$PACED&ranges=none"
    assert_success
    assert_body a 1 2M
    assert_requests 0 ' 206 '
    assert_equal "$(requests_where 'sent == 2097152' headers.range)" ''
    (($(count_requests) > 1))
    refute_stderr --partial 'starting over'
}

@test "connections that are refused are done without" {
    start_server
    local how
    for how in most_with=503 most_with=reset; do
        : >"$SERVER_STATE/requests.jsonl"
        start_ajob get --segments 5 --events events "$MAIN/f/a?$FILE&most=2&$how&latch=$how&latch_at=100K"
        wait_for_request ' held$' 2
        refused() { (($(count_requests "$how.* (503|0|None) ") + $(count_requests "$how.* reset$") >= 3)); }
        wait_until 60 refused
        open_latch "$how"
        wait_ajob
        assert_success
        assert_body a 1 2M
        rm a
        assert_equal "$(events events 'event == "task.retrying"')" ''
    done
}

@test "a segment that breaks off is continued by another" {
    start_server
    run_ajob get -r 0 --segments 4 "$MAIN/f/a?$PACED&only=range&reset_at=100K&times=1"
    assert_success
    assert_body a 1 2M
    assert_equal "$(count_requests ' reset$')" 1
    (($(sent) <= 2097152 * 3 / 2)) # what was on its way counts as sent
}

@test "the first one may break off, and the others bring its share" {
    start_server
    start_ajob get -r 0 --segments 4 "$MAIN/f/a?$FILE&slow=1M&only=whole&latch=go&latch_at=100K&reset_at=101K"
    wait_for_request '/f/a' 4
    open_latch go
    wait_ajob
    assert_success
    assert_body a 1 2M
    assert_requests 1 ' 200 reset$'
}

@test "a file that changes meanwhile is the old one or a failure, never both" {
    start_server
    run_ajob get --segments 4 "$MAIN/f/a?$PACED&etag=change"
    assert_success
    assert_body a 1 2M
    # It ignores If-Range, too: the ETag, or the total, tells.
    run_ajob get --segments 4 "$MAIN/f/b?$PACED&etag=change&if_range=ignore"
    assert_success
    assert_body b 1 2M
    run_ajob get --segments 4 "$MAIN/f/c?$PACED&only=range&wrong_total=2000000"
    assert_success
    assert_body c 1 2M
    run_ajob get --segments 4 "$MAIN/f/d?$PACED&only=range&wrong_start=7"
    assert_success
    assert_body d 1 2M
    assert_tree . a b c d
}

@test "after Ctrl-C only the bytes that are missing come" {
    start_server
    expect_part
    local url="$MAIN/f/a?$FILE&latch=go&latch_at=128K" missing
    start_ajob get --segments 4 "$url"
    wait_for_request ' held$' 4
    expect_status 130
    kill -INT "$AJOB_PID"
    wait_ajob
    assert_failure 130
    assert_tree . a.part a.part.json
    missing=$(noted | awk -F- '{ sum += $2 - $1 + 1 } END { print 2097152 - sum }')
    noted >before
    open_latch go
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get --segments 1 --events events "$url"
    assert_success
    assert_body a 1 2M
    assert_equal "$(sent)" "$missing"
    assert_equal "$(requests . headers.range | head -n 1)" "bytes=$("$PYTHON" - <<'END'
first = [tuple(map(int, line.split("-"))) for line in open("before")][:2]
start = first[0][1] + 1 if first[0][0] == 0 else 0
following = [a for a, _ in first if a > start]
print(f"{start}-{following[0] - 1}")
END
)"
    assert_equal "$(events events 'event == "task.ended"' resumed_from)" "$((2097152 - missing))"
}

@test "a piece that is left at the end is continued by several, too" {
    start_server
    expect_part
    run_ajob get -r 0 --segments 1 "$MAIN/f/a?size=4M&seed=1&slow=8M&begin=1M"
    assert_failure 1
    run_ajob get --segments 3 "$MAIN/f/a?size=4M&seed=1&slow=8M&begin=1M"
    assert_success
    assert_body a 1 4M
    (($(count_requests ' 206 ') >= 3))
    assert_stderr --partial 'resumed at 1.0 MiB'
}

@test "the last connection, which still brings bytes, is left to bring its share" {
    start_server
    run_ajob get --segments 3 "$MAIN/f/a?size=1536K&seed=1&slow=900K"
    assert_success
    assert_body a 1 1536K
    assert_requests 3
}

@test "killed, and run again: few bytes come twice" {
    start_server
    local url="$MAIN/f/a?size=8M&seed=1&latch=go&latch_at=1M&times=4"
    start_ajob get --segments 4 "$url"
    wait_for_request ' held$' 4
    is_noted() { [[ -s a.part.json ]] && (($(noted | awk -F- '{ sum += $2 - $1 + 1 } END { print 0 + sum }') > 2 << 20)); }
    wait_until 60 is_noted
    kill -KILL "$AJOB_PID"
    expect_status 137
    wait_ajob
    open_latch go
    run_ajob get --segments 4 "$url"
    assert_success
    assert_body a 1 8M
    (($(requests_where 'outcome == "ok"' sent | awk '{ sum += $1 } END { print 0 + sum }') <= 6 << 20))
}

@test "other files come before more connections for one" {
    start_server
    start_ajob get --segments 16 "$MAIN/f/a?size=16M&seed=1&latch=go&latch_at=64K" -j 2 "$MAIN/f/b?size=1M&latch=b"
    wait_for_request '/f/a.* held$' 15
    wait_for_request '/f/b.* held$'
    open_latch b
    open_latch go
    wait_ajob
    assert_success
    assert_body a 1 16M
}
