# The matrix of GitHub: answers that are no answers, assets that are not what the API
# said, limits of every kind. What cannot be trusted is not written.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

GOOD='"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": "300K", "seed": 1}]}]}}'

# told WHAT [NAME...]: the last run failed, in one line that has WHAT in it, and these
# files are here
told() {
    assert_failure 1
    assert_tree . "${@:2}"
    assert_stderr --partial "$1"
    assert_equal "$(grep -c '^ajob: ' <<<"$stderr")" 1
}

# answers JSON...: what the API says of the tags t101, t102…, word for word; \x00 and the
# like are the bytes they stand for
answers() {
    set_fixture "$("$PYTHON" -c 'import json, sys; print(json.dumps({"raw": {f"releases/tags/t{k}": text.encode().decode("unicode_escape")
        for k, text in enumerate(sys.argv[1:], 101)}}))' "$@")"
}

# asset_lines COUNT TEXT: so many lines, for the assets d101, d102…, end in TEXT
asset_lines() { assert_equal "$(grep -cE "^ajob: download: v1/d1..: $2$" <<<"$stderr")" "$1"; }

# assets FIELDS...: a release v1 with the assets d101, d102… of 10 bytes, and these fields
assets() {
    set_fixture "$("$PYTHON" -c 'import json, sys; print(json.dumps({"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [
        {"name": f"d{k}", "size": 10, "json": json.loads("{" + fields + "}")} for k, fields in enumerate(sys.argv[1:], 101)]}]}}}))' "$@")"
}

@test "JSON with NULs, half surrogates, bytes that are no text, and deep as a well" {
    start_server '{}'
    answers '\x00' '{"id": 1, \x00"tag_name": "v1"}' '{"id": 1, "tag_name": "v1", "assets": [\x00]}' '\xef\xbb\xbf' '\xff\xfe' \
        '{"id": 1, "tag_name": "v1", "assets": [{"name": "a\\ud800b"}]}' '{"id": 1e999, "tag_name": "v1", "assets": []}' \
        '{"id": 1, "tag_name": "v1", "assets": "' '{"id": 99999999999999999999999, "tag_name": "v1", "assets": [{}]}'
    run_ajob download -r 0 o/r t{101..109}
    assert_failure 1
    assert_tree .
    assert_equal "$(grep -c '^ajob: download: .*t10.: ' <<<"$stderr")" 9
    set_fixture "$("$PYTHON" -c 'import json; print(json.dumps({"raw": {
        "releases/tags/deep": "{\"id\": 1, \"tag_name\": \"v1\", \"x\": " + "{\"a\":" * 100000 + "1" + "}" * 100000 + ", \"assets\": []}",
        "releases/tags/long": json.dumps({"id": 1, "tag_name": "v1", "body": "x" * 5000000, "assets": [{"name": "n" * 200000, "id": 1, "size": 1, "state": "uploaded"}]})}}))')"
    run_ajob download -r 0 o/r deep
    told 'no valid JSON'
    run_ajob download -r 0 o/r long
    told 'long'
    (($(wc -c <"$AJOB_ERR") < 5000)) # nobody wants to read all of it
}

@test "digests that are none fail closed; a size that is too small or too large, too" {
    local zeros
    zeros=$(printf 0%.0s {1..64})
    start_server '{}'
    assets '"digest": "sha256:"' '"digest": "sha256:zz"' "\"digest\": \"sha256:${zeros#0}\"" "\"digest\": \"sha256:0$zeros\"" \
        "\"digest\": \"md4:${zeros:32}\"" "\"digest\": \"$zeros:sha256\"" "\"digest\": \"sha256 $zeros\"" '"digest": ":"' '"digest": "SHA256:"'
    run_ajob download -r 0 o/r v1
    assert_failure 1
    assert_tree .
    assert_requests 1 # for no asset
    asset_lines 9 'its digest is of a kind that cannot be verified: .*'
    assets '"size": 9' '"size": 11' '"size": 0' '"size": 9007199254740992'
    run_ajob download -r 0 o/r v1
    assert_failure 1
    assert_tree . v1/
    asset_lines 4 'the server has 10 bytes, expected (9|11|0|9007199254740992)'
}

@test "an asset's URL that leads anywhere else than to http is not asked" {
    start_server '{}'
    assets '"browser_download_url": "file:///etc/passwd"' '"browser_download_url": "ftp://127.0.0.1/x"' '"browser_download_url": ""' \
        '"browser_download_url": "//127.0.0.1/x"' '"browser_download_url": "http://"' '"browser_download_url": "http://127.0.0.1:1/\u001b[31m"' \
        '"browser_download_url": null' '"browser_download_url": ["x"]' '"browser_download_url": "http://127.0.0.1:1/x\r\nX-Evil: 1"'
    run_ajob download -r 0 o/r v1
    # What has no usable URL is asked for at the API, by its number.
    assert_equal "$(find . -type f | wc -l)" "$(requests '^storage .* 200' | wc -l)"
    assert_equal "$(grep -c $'\x1b' "$AJOB_ERR")" 0
    assert_equal "$(requests_where '"x-evil" in headers or "passwd" in target')" ''
    assert_equal "$(find . -type f -size +10c)" ''
}

@test "the description of an asset in its place is not the asset" {
    start_server "{\"token\": \"t\", \"raw\": {\"releases/assets/a\": \"{\\\"name\\\": \\\"a\\\"}\"}, $GOOD}"
    GH_TOKEN=t run_ajob download -r 0 o/r v1
    told 'v1/a: the server has 13 bytes, expected 307200' v1/
}

@test "an asset of the API that is busy or at its limit is asked for again, when it says" {
    start_server "{\"token\": \"t\", \"errors\": {\"releases/assets/a\": {\"status\": 429, \"retry_after\": 1, \"times\": 1}}, $GOOD}"
    GH_TOKEN=t run_ajob download --retry-delay 1ms o/r v1
    assert_success
    assert_stderr --regexp 'retrying v1/a in 1.0s \(attempt 2\): .*HTTP 429'
    assert_body v1/a 1 300K
    set_fixture "{\"token\": \"t\", \"errors\": {\"releases/assets/a\": {\"status\": 502, \"type\": \"text/html\", \"body\": \"<html><title>Unicorn!\", \"times\": 2, \"key\": \"b\"}}, $GOOD}"
    GH_TOKEN=t run_ajob download --retry-delay 1ms -d b o/r v1
    assert_success
    assert_equal "$(requests '/releases/assets/' status | tr '\n' ' ')" '429 302 502 502 302 '
}

@test "a release that is replaced between the list and the file: never the wrong bytes" {
    start_server "{$GOOD, \"errors\": {\"download/v1/a\": {\"latch\": \"go\"}}}"
    start_ajob download -r 0 o/r v1
    wait_for_request '/download/v1/a held$'
    # The same name, another body: what the list said no longer holds.
    set_fixture "{${GOOD/\"seed\": 1/\"seed\": 2}}"
    open_latch go
    wait_ajob
    if ((status == 0)); then
        assert_success
        assert_body v1/a 2 300K
    else
        refute_exists v1/a
    fi
    assert_tree . v1/ || assert_tree . v1/a
    run_ajob download -r 0 o/r v1
    assert_success
    assert_body v1/a 2 300K
}

@test "a signature that ends between two attempts: signed anew, and only the rest is asked for" {
    start_server '{"sign_uses": 1, "repos": {"o/r": {"releases": [{"tag": "v1", "assets": [
        {"name": "a", "size": "900K", "seed": 1, "query": "reset_at=200K&times=3"}]}]}}}'
    run_ajob download --retry-delay 1ms o/r
    assert_success
    assert_body v1/a 1 900K
    assert_equal "$(requests '^storage' status headers.range | tr '\t\n' ' ,')" '200 ,206 bytes=204800-,206 bytes=409600-,206 bytes=614400-,'
    assert_requests 4 '/download/v1/a 302'
    assert_requests 0 ' 403 '
}

@test "a secondary rate limit without a header is waited for, or said" {
    start_server "{\"errors\": {\"*\": {\"status\": 403, \"body\": \"{\\\"message\\\": \\\"You have exceeded a secondary rate limit\\\"}\"}}, $GOOD}"
    run_ajob download --max-wait 5s --retry-delay 1ms o/r v1
    assert_failure 1
    assert_stderr --partial 'rate limit'
    assert_stderr --partial 'longer than --max-wait'
    assert_requests 1
}

@test "a second run costs no quota: the API's answers have tags" {
    expect_stray
    start_server "{$GOOD}"
    run_ajob download o/r
    run_ajob download o/r
    assert_success
    assert_equal "$(requests '/releases/latest' status | tr '\n' ' ')" '200 304 '
    assert_body v1/a 1 300K
    assert_stderr --partial '1 up to date'
}
