# Files of checksums among the assets, for those that the API gives no digest of.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# release ASSET...: the release v1 of o/r, of these assets in JSON
release() {
    local IFS=,
    start_server "{\"repos\":{\"o/r\":{\"releases\":[{\"tag\":\"v1\",\"assets\":[$*]}]}}}"
}

# file NAME SEED: without a digest
file() { echo "{\"name\":\"$1\",\"size\":\"100K\",\"seed\":$2,\"digest\":null}"; }

# sums NAME CONTENT
sums() { echo "{\"name\":\"$1\",\"content\":\"$2\"}"; }

@test "each form of a list is read, by its exact name" {
    local form
    for form in '${sha256:a}  a\n' '${sha256:a} *a\r\n' 'SHA256 (a) = ${sha256:a}\n' '${sha256:a}  ./dist/a\n' \
        '0000000000000000000000000000000000000000000000000000000000000000  aa\n${sha256:a}  a'; do
        release "$(file a 1)" "$(sums SHA256SUMS "$form")"
        run_ajob download -d out -p a o/r v1
        assert_success
        assert_stderr --regexp 'downloaded v1/a .* sha256 ok'
        assert_body out/v1/a 1 100K
        stop_server
        rm -r out
    done
}

@test "a list of any usual name, and the file of one asset" {
    local name
    for name in checksums.txt tool_1.2_checksums.txt sha256sums.txt tool-SHA256SUMS; do
        release "$(file a 1)" "$(sums "$name" '${sha256:a}  a\n')"
        run_ajob download -d out -p a o/r v1
        assert_success
        assert_stderr --partial 'sha256 ok'
        stop_server
        rm -r out
    done
    for name in a.sha256 a.sha256sum; do
        release "$(file a 1)" "$(file b 2)" "$(sums "$name" '${sha256:a}\n')"
        run_ajob download -d out -p '[ab]' o/r v1
        assert_success
        assert_stderr --regexp 'downloaded v1/a .* sha256 ok'
        assert_stderr --regexp 'downloaded v1/b .* not verified'
        stop_server
        rm -r out
    done
}

@test "another digest in it fails, and leaves no file" {
    release "$(file a 1)" "$(file b 2)" "$(sums SHA256SUMS '${sha256:b}  a\n${sha256:b}  b\n')"
    run_ajob download -d out -r 0 o/r v1
    assert_failure 1
    assert_stderr --partial 'ajob: download: v1/a: sha256 mismatch: expected'
    refute_exists out/v1/a
    assert_body out/v1/b 2 100K
}

@test "a name that only ends alike, or that has two digests, is not verified" {
    release "$(file a 1)" "$(file b 2)" \
        "$(sums SHA256SUMS '${sha256:a}  xa\n${sha256:a}  x/b\n${sha256:b}  y/b\n')"
    run_ajob download -d out -p '[ab]' o/r v1
    assert_success
    assert_stderr --regexp 'downloaded v1/a .* not verified'
    assert_stderr --regexp 'downloaded v1/b .* not verified'
}

@test "what the API says counts: no list is asked for" {
    release '{"name":"a","size":"1K","seed":1}' "$(sums SHA256SUMS '${sha256:a}  a\n')"
    run_ajob download -d out -p a o/r v1
    assert_success
    assert_requests 0 SHA256SUMS
}

@test "a list that cannot be had is a failure, not a reason to go without" {
    release "$(file a 1)" \
        '{"name":"SHA256SUMS","content":"${sha256:a}  a\n","query":"status=500"}'
    run_ajob download -d out -r 1 --retry-delay 1ms -p a o/r v1
    assert_failure 1
    assert_stderr --partial 'retrying v1'
    assert_stderr --partial 'ajob: download: v1: SHA256SUMS: HTTP 500'
    refute_exists out/v1/a
}

@test "the token goes to the API for it, and not to where the file is" {
    start_server '{"token":"tok3n","repos":{"o/r":{"private":true,"releases":[{"tag":"v1","assets":[
        {"name":"a","size":"1K","seed":1,"digest":null},{"name":"SHA256SUMS","content":"${sha256:a}  a\n"}]}]}}}'
    GH_TOKEN=tok3n run_ajob download -d out -p a o/r v1
    assert_success
    assert_stderr --partial 'sha256 ok'
    assert_equal "$(requests '^storage ' headers.authorization | sort -u | tr -d '\n')" ""
}

@test "SIGINT while the list is read" {
    release "$(file a 1)" '{"name":"SHA256SUMS","content":"x","query":"latch=never"}'
    start_ajob download -d out o/r v1
    wait_for_request 'SHA256SUMS.* held$'
    kill -INT "$AJOB_PID"
    expect_status 130
    wait_ajob
    assert_stderr --partial 'cancelling: SIGINT'
    open_latch never
}
