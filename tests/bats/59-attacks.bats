# Servers, APIs and neighbours that mean harm, and what must not come of it: nothing wrong on
# disk, no crash, no secret told, and an end.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# --- segments ----------------------------------------------------------------

@test "a connection that has just been made is given time to answer" {
    start_server
    run_ajob get --segments 2 -o a "$MAIN/f/a?size=1200K&seed=1&rtt=0.1&slow=1M"
    assert_success
    assert_body a 1 1200K
    (($(count_requests) <= 8)) || fail "$(last_requests)"
}

@test "a stream that brings its share is not taken for a silent one" {
    start_server
    run_ajob get --segments 2 -o a "$MAIN/f/a?size=1200K&seed=1&slow=600K"
    assert_success
    assert_body a 1 1200K
    assert_equal "$(requests_where 'outcome == "client-gone" and sent > 0 and sent < 100000')" ''
    (($(count_requests) <= 4)) || fail "$(last_requests)"
}

# --- the API -----------------------------------------------------------------

@test "two assets with one id: both are downloaded, and the lock is refused" {
    start_server '{"repos": {"o/r": {"releases": [
        {"tag": "v2", "assets": [{"name": "a", "size": 50, "seed": 3, "id": 5}]},
        {"tag": "v1", "assets": [{"name": "b", "size": 50, "seed": 3, "id": 5}]}]}}}'
    run_ajob download --lock a.lock -d out o/r --all
    assert_failure 1
    assert_stderr --regexp 'a.lock: |the API has its id for another asset, too: not locked'
    assert_body out/v2/a 3 50
    assert_body out/v1/b 3 50
    refute_exists a.lock
}

@test "one asset twice is one entry of the lock" {
    start_server '{"repos": {"o/r": {"releases": [
        {"tag": "v1", "assets": [{"name": "a", "size": 50, "seed": 3, "id": 5}, {"name": "a", "size": 50, "seed": 3, "id": 5}]}]}}}'
    run_ajob download --lock a.lock -d out o/r --all
    ((status == 0 || status == 1)) || fail_with_output "crash"
    assert_body out/v1/a 3 50
}

@test "a name that is none of a file is told, not taken for a lack of memory" {
    start_server '{"repos": {"o/r": {"releases": []}}}'
    local long
    long=$(printf '%0100000d' 0)
    set_fixture '{"repos": {"o/r": {"releases": []}}, "raw": {
        "releases/tags/v1": "{\"id\": 1, \"tag_name\": \"v1\", \"assets\": [{\"id\": 1, \"name\": \"'"$long"'\", \"size\": 4}]}",
        "releases/tags/v2": "{\"id\": 1, \"tag_name\": \"'"$long"'\", \"assets\": []}"}}'
    run_ajob download -d out o/r v1
    assert_failure 1
    assert_stderr --partial "the API's answer makes no sense: an asset without a usable name"
    run_ajob download -d out o/r v2
    assert_failure 1
    assert_stderr --partial "the API's answer makes no sense: a release without a usable tag"
    refute_exists out
}

@test "an API that sends much: limits on all of it together" {
    start_server '{"pad": "31M", "page_size": 2, "repos": {"o/r": {"releases": ['"$(printf '{"tag": "v%d"}, ' {1..39})"'{"tag": "v40"}]}}}'
    run_ajob download --no-cache -r 0 --list --all o/r
    assert_failure 1
    assert_stderr --partial "all: o/r: the API's answers are too long: more than 256 MiB in all"
    assert_requests 9
    # 3,449 releases with 29 assets
    set_fixture "$("$PYTHON" -c 'import json; print(json.dumps({"repos": {"o/r": {}}, "raw": {"releases": json.dumps([{"id": r, "tag_name": "v", "assets": [
        {"id": 29 * r + i, "name": "a", "size": 1} for i in range(29)]} for r in range(3449)])}}))')"
    run_ajob download --no-cache -r 0 --list --all o/r
    assert_failure 1
    assert_stderr --partial "all: more than 100000 assets in all: refused"
}

@test "an API with a file of checksums for each of very many assets: not all are asked for" {
    start_server '{"repos": {"o/r": {}}}'
    set_fixture "$("$PYTHON" -c 'import json, sys; print(json.dumps({"repos": {"o/r": {"releases": [{"tag": "v", "id": 1}]}}, "raw": {
        "releases/tags/v": json.dumps({"id": 1, "tag_name": "v", "assets": [{"id": 2 * i + j, "name": "a%d%s" % (i, j * ".sha256"), "size": 5,
        "browser_download_url": sys.argv[1] + "/f/s?size=5"} for i in range(501) for j in range(2)]})}}))' "$MAIN")"
    run_ajob download --no-cache -r 0 --list --require-digest o/r v
    assert_failure 1
    assert_stderr --partial 'ajob: download: v: more than 500 files of checksums: refused'
    assert_requests 500 /f/s
}

# --- directories of several people -------------------------------------------

@test "a note that is another's, or has another name too, is not believed" {
    start_server
    local url changed
    changed=$(printf 'ln a.part.json other\n'; ((EUID)) || echo 'chown 65534 a.part.json')
    while read -r change; do
        url="$MAIN/f/a?size=500K&seed=1&reset_at=300K&times=1&key=${change%% *}"
        run_ajob get -r 0 -o a "$url"
        assert_failure 1
        $change
        run_ajob get -r 0 -o a "$url"
        assert_success
        assert_body a 1 500K
        rm -f a other
    done <<<"$changed"
    assert_requests 0 ' 206 ok$'
}

# --- time --------------------------------------------------------------------

@test "a server that sends a file byte by byte is not asked for each" {
    start_server
    expect_part
    run_ajob get -r 3 --retry-delay 1ms -o a "$MAIN/f/a?size=500K&seed=1&begin=300K&range_max=1"
    assert_failure 1
    assert_stderr --partial 'the server sends no more than 1 bytes at a time'
    assert_requests 4
}

@test "one path that is out of service for long does not stop the host's others" {
    start_server
    run_ajob get -j 1 -k --retry-delay 1ms "$MAIN/f/a?status=503&retry_after=2147483647" "$MAIN/f/b?size=5&seed=1"
    assert_failure 1
    assert_stderr --partial '/f/a: HTTP 503 (Service Unavailable): to be tried again in'
    assert_body b 1 5
    assert_tree . b
}

@test "a length that is only announced takes no room on the disk" {
    start_server
    start_ajob get --segments 1 -o a "$MAIN/f/a?size=1025M&seed=1&latch=never&latch_at=1M"
    wait_for_request ' held$'
    # fallocate(2) was asked before the first byte was written
    wait_until 60 eval '[[ -s a.part ]]'
    (($(stat -c %b a.part) < 100000)) || fail "$(stat a.part)"
    expect_part
    expect_status 130
    kill -INT "$AJOB_PID"
    wait_ajob
    open_latch never
}

# --- names -------------------------------------------------------------------

@test "an asset that is called as a file of the run itself replaces none" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "content": "good"},
        {"name": "t.lock", "content": "evil"}, {"name": "events", "content": "evil"}, {"name": "token", "content": "evil"}]}]}}}'
    echo mine >token
    run_ajob download -k --lock t.lock --events ./events --token-file "$PWD/token" --flat o/r
    assert_failure 1
    for name in t.lock events token; do
        assert_stderr --partial "v1/$name: $name: a file that this run uses itself has the name: refused"
    done
    assert_tree . a events token
    assert_events events
    run_ajob download --lock t.lock o/r # to other places: what is it to us
    assert_success
    assert_tree . a events t.lock token v1/a v1/events v1/t.lock v1/token
    sha256sum t.lock >before
    run_ajob download -k --locked t.lock --flat -d . o/r
    assert_failure 1
    assert_stderr --partial 't.lock: a file that this run uses itself has the name: refused'
    sha256sum --status -c before
    assert_equal "$(<token)" evil
    printf '%s\n' "$MAIN/f/list?size=5" >list
    run_ajob get -d "$PWD" -i list
    assert_failure 1
    assert_equal "$(<list)" "$MAIN/f/list?size=5"
}
