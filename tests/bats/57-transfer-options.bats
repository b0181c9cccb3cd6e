# What the command line and specs say of transfers reaches them: mirrors, segments, rates,
# waits, certificates, the disk.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

file_of() { echo "$MAIN/f/$1?size=${2:-300K}&seed=1"; }

@test "mirrors: from --mirror, a list, a spec: the next one at once" {
    start_server
    run_ajob get --retry-delay 1m --mirror "$MAIN/f/m?status=503" --mirror "$(file_of good)" "$MAIN/f/a?status=404"
    assert_success
    assert_body a 1 300K
    rm a
    run_ajob get --retry-delay 1m -i - <<<"$MAIN/f/b?status=404 $(file_of good)"
    assert_success
    assert_body b 1 300K
    rm b
    printf '{"tasks": {"c": {"get": "%s", "mirrors": ["%s", "%s"], "retry": {"max": 1, "delay": "1m"}}}}' \
        "$MAIN/f/c?status=404" "$MAIN/f/m?status=503" "$(file_of good)" >spec.json
    run_ajob run spec.json
    assert_success
    assert_body c 1 300K
    rm c
    run_ajob get -r 0 --mirror "$MAIN/f/y?status=404" "$MAIN/f/x?status=404"
    assert_failure 1
    assert_stderr --partial "$MAIN/f/y"
    assert_tree . spec.json
    rm spec.json
}

# ranges_asked: how many requests asked for a part of the file
ranges_asked() { requests_where 'headers.get("range")' target | wc -l; }

@test "--segments: so many connections, one, or what pays" {
    start_server
    local url="$MAIN/f/a?size=4M&seed=1&slow=16M"
    run_ajob get --segments 4 "$url"
    assert_success
    assert_body a 1 4M
    (($(max_inflight) > 1)) || fail "one at a time"
    rm a
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get --segments 1 "$url"
    assert_success
    assert_requests 1
    rm a
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get --segments auto "$(file_of small)"
    assert_success
    assert_requests 1
    printf '{"defaults": {"segments": 4}, "tasks": {"a": {"get": "%s"}, "b": {"get": "%s", "segments": 1}}}' \
        "$url" "${url/\/a/\/b}" >spec.json
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob run spec.json
    assert_success
    (($(count_requests '/f/a') > 1)) || fail "one request for a"
    assert_requests 1 '/f/b'
    rm spec.json a b small
}

# took MILLISECONDS: the last run took at least so long
took() {
    local real
    real=$(events events "event == 'run.ended'" duration)
    awk -v real="$real" -v least="$1" 'BEGIN {exit !(real * 1000 >= least)}' || fail "took $real s"
}

@test "--limit-rate: all transfers together; get, download, run, and a spec" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": "256K"}]}]}}}'
    run_ajob get --events events --limit-rate 512K "$(file_of a 128K)" "$(file_of b 128K)"
    assert_success
    took 300
    run_ajob download --events events --limit-rate 512K o/r
    assert_success
    took 300
    run_ajob run --events events --limit-rate 512K --get a="$(file_of c 256K)"
    assert_success
    took 300
    printf '{"limit_rate": "512K", "tasks": {"a": {"get": "%s"}}}' "$(file_of d 256K)" >spec.json
    run_ajob run --events events spec.json
    assert_success
    took 300
    rm -r a b c d v1 events spec.json
}

@test "--max-wait: a server that asks for more fails at once" {
    start_server
    run_ajob get --max-wait 2s "$MAIN/f/a?status=503&retry_after=60"
    assert_failure 1
    assert_requests 1
    run_ajob get --max-wait 2s "$MAIN/f/b?status=503&retry_after=1&times=1&size=10"
    assert_success
    assert_tree . b
}

@test "--min-speed: what is slower is given up" {
    start_server
    run_ajob get -r 0 --segments 1 --stall-timeout 1s --min-speed 100K "$MAIN/f/a?size=10M&slow=20K&etag=none&lm=none"
    assert_failure 1
    assert_stderr --regexp "ajob: get: $MAIN/f/a: .*(slow|stall)"
    expect_part
}

@test "--insecure: any certificate, said aloud, and no headers sent" {
    start_server --tls
    run_ajob get -q "$TLS/f/a?size=10"
    assert_failure 1
    run_ajob get -q --insecure -H 'X-Secret: s' "$TLS/f/a?size=10&seed=1"
    assert_success
    assert_body a 1 10
    assert_stderr --partial 'ajob: get: --insecure: certificates are not checked'
    assert_equal "$(wc -l <"$AJOB_ERR")" 1
    assert_equal "$(requests_where 'headers.get("x-secret")' target)" ""
    run_ajob run --insecure --get "b=$TLS/f/b?size=10"
    assert_success
    assert_stderr --partial 'ajob: run: --insecure: certificates are not checked'
    rm a b
}

@test "--fsync, and a task's own: a file is on the disk before it is a success" {
    start_server
    AJOB_FAULT=fsync:1 run_ajob get "$(file_of a)"
    assert_success
    AJOB_FAULT=fsync:1 run_ajob get -r 0 --fsync "$(file_of b)"
    assert_failure 1
    refute_exists b
    expect_part
    printf '{"tasks": {"c": {"get": "%s", "fsync": true, "retry": 0}}}' "$(file_of c)" >spec.json
    AJOB_FAULT=fsync:1 run_ajob run spec.json
    assert_failure 1
    refute_exists c
    run_ajob get --fsync "$(file_of b)"
    assert_success
    rm -f a b spec.json ./*.part ./*.part.json
}

@test "a spec's release: a prerelease, and nothing without a digest" {
    start_server '{"repos": {"o/r": {"releases": [
        {"tag": "v3-rc", "prerelease": true, "assets": [{"name": "rc", "size": 10}, {"name": "bare", "size": 10, "digest": null}]},
        {"tag": "v2", "assets": [{"name": "a", "size": 10}]}]}}}'
    echo '{"tasks": {"a": {"release": "o/r", "prerelease": true, "require_digest": true, "policy": "settled"}}}' >spec.json
    run_ajob run spec.json
    assert_failure 1
    assert_stderr --regexp 'ajob: run: a/.*bare: .*digest'
    assert_tree . spec.json v3-rc/rc
    rm -r spec.json v3-rc
}
