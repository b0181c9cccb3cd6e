# ajob download: what the API can say instead of a release, and rate limits.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

GOOD='"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": 10}]}]}}'

# answers RAW: the API's body for tag v1, with status 200 and the type of JSON
answers() {
    "$PYTHON" -c 'import json, sys; print(json.dumps({"raw": {"releases/tags/v1": sys.argv[1]}}))' "$1"
}

# fails_with TEXT...: `download o/r v1` fails, says this in one line, and writes nothing
fails_with() {
    run_ajob download o/r v1
    assert_failure 1
    assert_tree .
    local text
    for text in "$@"; do
        assert_stderr --partial "$text"
    done
    assert_equal "$(grep -c '^ajob: ' <<<"$stderr")" 1
}

@test "401, 403 and others: the server's message, and no second try" {
    start_server "{\"token\": \"secret\", $GOOD}"
    GH_TOKEN=wrong fails_with 'o/r: release v1: HTTP 401 (Unauthorized): Bad credentials: the token is wrong or has expired; what is public needs none'
    assert_requests 1
    set_fixture '{"errors": {"*": {"status": 403, "body": "{\"message\": \"Resource not accessible by integration\"}"}}, "repos": {"o/r": {}}}'
    fails_with 'HTTP 403 (Forbidden): Resource not accessible by integration'
    set_fixture '{"errors": {"*": {"status": 451}}, "repos": {"o/r": {}}}'
    fails_with 'HTTP 451 (Unavailable For Legal Reasons)'
    set_fixture '{"errors": {"*": {"status": 418, "body": "{\"message\": 7}"}}, "repos": {"o/r": {}}}'
    fails_with 'o/r: release v1: HTTP 418'
    set_fixture '{"errors": {"*": {"status": 422, "body": "\u001b[2Jtwo\nlines ::error::x", "type": "text/plain"}}, "repos": {"o/r": {}}}'
    fails_with 'HTTP 422 (Unprocessable Content): \x1b[2Jtwo'
    assert_requests 5
}

@test "5xx is tried again, and told with what the page says" {
    start_server "{\"errors\": {\"*\": {\"status\": 502, \"type\": \"text/html\",
        \"body\": \"<html><head><title>Unicorn!</title></head>\"}}, $GOOD}"
    run_ajob download --retry-delay 1ms -r 2 o/r v1
    assert_failure 1
    assert_stderr --partial 'ajob: download: o/r: release v1: HTTP 502 (Bad Gateway): Unicorn!'
    assert_stderr --regexp 'retrying v1 (at once|in [0-9]+ms) \(attempt 2\): o/r: release v1: HTTP 502'
    assert_requests 3
    set_fixture "{\"errors\": {\"*\": {\"status\": 503, \"times\": 2}}, $GOOD}"
    run_ajob download --retry-delay 1ms o/r v1
    assert_success
    assert_tree . v1/a
    set_fixture "{\"errors\": {\"*\": {\"reset_at\": 0, \"times\": 9}}, $GOOD}"
    run_ajob download --retry-delay 1ms -d again o/r v1 # a broken connection is no verdict either
    assert_success
}

@test "what is no JSON, or not all of it" {
    start_server "$(answers '<html>Please sign in</html>')"
    fails_with 'o/r: release v1: the answer is no valid JSON (application/json; charset=utf-8)'
    set_fixture '{"errors": {"*": {"html": 1}}, "repos": {"o/r": {}}}'
    fails_with 'no valid JSON (text/html; charset=utf-8): is this the address of the API?'
    for raw in '' '{"id": 1, "tag_name": "v1", "assets": [' '{"id": 1} x' 'null' '"text"' '[]' '[[[[' '{}' '7'; do
        set_fixture "$(answers "$raw")"
        fails_with 'v1: '
    done
    set_fixture "$(answers "$(printf '[%.0s' {1..20000})")"
    fails_with 'no valid JSON'
    assert_requests 12
}

@test "JSON that is absurd" {
    start_server '{}'
    local asset='"name": "a", "id": 1, "size": 10, "state": "uploaded"'
    for raw in '{"id": "1", "tag_name": "v1", "assets": []}' '{"id": 1, "tag_name": null, "assets": []}' \
        '{"id": 1, "tag_name": "v1"}' '{"id": 1, "tag_name": "v1", "assets": {"a": 1}}' \
        '{"id": 1, "tag_name": "v1", "assets": [1, null, "x"]}' \
        '{"id": 1, "tag_name": "v1", "assets": [{"name": "a"}]}' \
        "{\"id\": 1, \"tag_name\": \"v1\", \"assets\": [{${asset/10/-1}}]}" \
        "{\"id\": 1, \"tag_name\": \"v1\", \"assets\": [{${asset/10/1e300}}]}" \
        "{\"id\": 1, \"tag_name\": \"v1\", \"assets\": [{${asset/10/10.5}}]}" \
        "{\"id\": 1, \"tag_name\": \"v1\", \"assets\": [{${asset/'"a"'/'""'}}]}" \
        "{\"id\": 1, \"tag_name\": \"v1\", \"assets\": [{${asset/'"a"'/'["a"]'}}]}"; do
        set_fixture "$(answers "$raw")"
        fails_with "v1: the API's answer makes no sense: "
    done
    # A digest that is no text is no digest; a number of assets that is wrong is a lie.
    set_fixture "$(answers "{\"id\": 1, \"tag_name\": \"v1\", \"assets\": [{$asset, \"digest\": 7, \"browser_download_url\": \"$MAIN/f/a?size=10\"}]}")"
    run_ajob download o/r v1
    assert_success
    assert_stderr --partial 'not verified'
    assert_body v1/a 0 10
}

@test "an answer without end is not read to its end" {
    start_server "$("$PYTHON" -c 'import json; print(json.dumps({"raw": {"releases/tags/v1": " " * (33 << 20)}}))')"
    fails_with "o/r: release v1: the API's answer is too long"
    assert_requests 1
}

@test "pages that do not end, or lie elsewhere" {
    start_server "{$GOOD}"
    set_fixture "{\"errors\": {\"releases\": {\"header\": \"Link:<$STORAGE/repos/o/r/releases?page=2>; rel=\\\"next\\\"\"}}, $GOOD}"
    run_ajob download -A o/r
    assert_failure 1
    assert_stderr --partial "all: the API's next page is on another host: refused"
    assert_requests 0 '^storage GET /repos'
    set_fixture "{\"errors\": {\"releases\": {\"header\": \"Link:<$MAIN/repos/o/r/releases?per_page=100>; rel=\\\"next\\\"\"}}, $GOOD}"
    run_ajob download -A -d two o/r
    assert_failure 1
    assert_stderr --partial "all: the API's pages do not end: refused"
    assert_requests 2 '/releases\?per_page=100 (200|304)'
    # What had been listed before that is downloaded.
    assert_tree two v1/a
    # Page two fails: what is on page one comes, and the run has failed.
    set_fixture '{"page_size": 1, "errors": {"releases?page=2": {"status": 404}}, "repos": {"o/r": {"releases": [
        {"tag": "v2", "assets": [{"name": "b", "size": 10}]}, {"tag": "v1"}]}}}'
    run_ajob download -A -d three o/r
    assert_failure 1
    assert_tree three v2/b
}

@test "a listing that is tried again, or shifts, has each release once" {
    start_server '{"page_size": 2, "errors": {"releases?page=2": {"status": 502, "times": 1}}, "repos": {"o/r": {"releases": [
        {"tag": "v4", "assets": [{"name": "d", "size": 10}]}, {"tag": "v3", "id": 7},
        {"tag": "v3", "id": 7}, {"tag": "v1", "assets": [{"name": "a", "size": 10}]}]}}}'
    run_ajob download -A --retry-delay 1ms --events events o/r
    assert_success
    assert_tree . events v1/a v4/d
    assert_equal "$(events events 'event == "task.ended"' task | sort)" "$(printf "%s\n" all v1 v1/a v3 v4 v4/d)"
    assert_requests 4 '/releases\?'
}

@test "a page of assets that fails, fails the release" {
    start_server "$("$PYTHON" -c 'import json; print(json.dumps({"embed_limit": 30, "errors": {"releases/v1/assets?page=2": {"status": 500, "times": 1}},
        "repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": f"{k}.bin", "size": k} for k in range(101)]}]}}}))')"
    run_ajob download -r 0 o/r v1
    assert_failure 1
    assert_stderr --partial 'HTTP 500 (Internal Server Error)'
    assert_tree . # not the first page as if it were all
    run_ajob download --list o/r v1
    assert_success
    assert_equal "${#lines[@]}" 101
}

@test "a rate limit says when it ends, and is not waited for beyond --max-wait" {
    start_server "{\"rate_limit\": {\"reset_in\": 900}, $GOOD}"
    fails_with 'o/r: release v1: HTTP 403: rate limit of the API, until ' ' (in 1' 'longer than --max-wait; a token raises it: set GH_TOKEN'
    assert_stderr --regexp 'until [0-9]{2}:[0-9]{2}:[0-9]{2} \(in 1[45]m'
    assert_requests 1
    set_fixture "{\"token\": \"t\", \"rate_limit\": {\"status\": 429, \"retry_after\": 7000}, $GOOD}"
    GH_TOKEN=t fails_with 'HTTP 429: rate limit of the API' '(in 1h56m' 'longer than --max-wait'
    refute_stderr --partial 'a token raises it'
    set_fixture "{\"rate_limit\": {\"status\": 429, \"retry_after\": 1}, $GOOD}"
    run_ajob download --max-wait 0 o/r v1
    assert_failure 1
    assert_stderr --partial 'longer than --max-wait'
    assert_requests 3
}

@test "a rate limit within --max-wait is waited for" {
    # By the reset's time, 403; its own clock is an hour ahead.
    start_server "{\"clock_skew\": 3600, \"rate_limit\": {\"reset_in\": 1, \"times\": 1}, $GOOD}"
    run_ajob download --max-wait 10s o/r v1
    assert_success
    assert_stderr --regexp 'retrying v1 in [12](\.[0-9])?s \(attempt 2\): o/r: release v1: HTTP 403: rate limit of the API, until'
    assert_requests 2 '/releases/tags/v1'
    # By Retry-After, 429.
    set_fixture "{\"errors\": {\"*\": {\"status\": 429, \"retry_after\": 1, \"times\": 1}}, $GOOD}"
    run_ajob download --retry-delay 1ms -d again o/r v1
    assert_success
    assert_stderr --partial 'retrying v1 in 1.0s (attempt 2): o/r: release v1: HTTP 429: rate limit'
}

@test "a bad repository is said before anything is asked" {
    start_server "{$GOOD}"
    local repository
    for repository in o '' /r o/ ../r o/.. //o/r 'o r/x' ftp://github.com/o/r https://github.com/o github.com/o \
        https://user:pw@github.com/o/r $'o/r\nx' "$(printf 'x%.0s' {1..101})/r"; do
        run_ajob download "$repository" v1
        assert_failure 2
        assert_equal "$(wc -l <"$AJOB_ERR")" 1
        assert_stderr --regexp 'ajob: download: .*(not a repository: write OWNER/REPO or its URL|is empty)'
    done
    for repository in o/r/x 'o/r?x' 'o/r#x' o/r// o/r/..; do
        run_ajob download "$repository" v1
        assert_failure 2
        assert_stderr "ajob: download: $repository: more than a repository: write o/r TAG"
    done
    GITHUB_API_URL=no-url run_ajob download o/r v1
    assert_failure 2
    assert_stderr --partial "the API's URL: not a URL"
    assert_requests 0
}
