# What GitHub does besides answering: prereleases and drafts, tags that are spelled
# otherwise, tokens that see too little, limits, repositories that have moved.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# release TAG MORE: as JSON, with one asset
release() { echo "{\"tag\": \"$1\", \"assets\": [{\"name\": \"a\", \"size\": 10}]${2:+, $2}}"; }

# repo RELEASE...: o/r with these
repo() {
    local IFS=,
    echo "\"repos\": {\"o/r\": {\"releases\": [$*]}}"
}

# fails_with TEXT...: `download o/r v1` fails, says this in one line, and writes nothing
fails_with() {
    run_ajob download -r 0 o/r v1
    assert_failure 1
    assert_tree .
    local text
    for text in "$@"; do
        assert_stderr --partial "$text"
    done
    assert_equal "$(grep -c '^ajob: ' <<<"$stderr")" 1
}

# ---- which release ---------------------------------------------------------

@test "--prerelease: the newest of any kind, by the list's order, no draft" {
    start_server "{\"token\": \"t\", \"token_push\": true, \"page_size\": 2, $(repo "$(release d1 '"draft": true')" \
        "$(release d2 '"draft": true')" "$(release d3 '"draft": true')" "$(release v2-rc '"prerelease": true')" "$(release v1)")}"
    GH_TOKEN=t run_ajob download --prerelease -d one o/r # drafts fill its first page
    assert_success
    assert_tree one v2-rc/a
    run_ajob download --prerelease -d two o/r
    assert_success
    assert_tree two v2-rc/a
    run_ajob download -d three o/r
    assert_tree three v1/a
    set_fixture "{$(repo "$(release v3)" "$(release v2-rc '"prerelease": true')")}"
    run_ajob download --prerelease -d four o/r
    assert_tree four v3/a
    assert_requests 0 '/releases/latest.*404'
}

@test "--prerelease with a tag is wrong usage; with --all it is what --all does" {
    start_server "{$(repo "$(release v2-rc '"prerelease": true')" "$(release v1)")}"
    run_ajob download --prerelease o/r v1
    assert_failure 2
    assert_stderr 'ajob: download: --prerelease: v1: tags are given too: use one of both'
    assert_requests 0
    run_ajob download --prerelease --all o/r
    assert_success
    assert_tree . v1/a v2-rc/a
}

@test "no release but prereleases, or none at all, is said" {
    start_server "{$(repo "$(release v2-rc '"prerelease": true')")}"
    run_ajob download o/r
    assert_failure 1
    assert_stderr --partial 'ajob: download: o/r: latest release: there are only prereleases, the newest is v2-rc: use --prerelease'
    set_fixture "{$(repo "$(release d '"draft": true')")}"
    run_ajob download o/r
    assert_failure 1
    assert_stderr --partial 'o/r: latest release: the repository has none'
    run_ajob download --prerelease o/r
    assert_failure 1
    assert_stderr --partial 'the repository has no release'
    run_ajob download --prerelease o/none
    assert_failure 1
    assert_stderr --partial 'o/none: newest release: not found, or private: set GH_TOKEN'
    assert_tree .
}

@test "a draft is found by its tag with a token that sees it, in one request more" {
    start_server "{\"token\": \"t\", \"token_push\": true, $(repo "$(release v1)" "$(release v2 '"draft": true')")}"
    GH_TOKEN=t run_ajob download o/r v2
    assert_success
    assert_tree . v2/a
    assert_equal "$(requests '^main GET /repos/' target status)" "$(printf '%s\t%s\n' \
        /repos/o/r/releases/tags/v2 404 '/repos/o/r/releases?per_page=100' 200 /repos/o/r/releases/assets/10010010000 302)"
    run_ajob download -d none o/r v2
    assert_failure 1
    assert_stderr --partial 'o/r: release v2: not found; there are v1'
    refute_exists none
}

@test "a tag that is not there: what may have been meant" {
    start_server "{$(repo "$(release v1.2.3)" "$(release v1.2.2)" "$(release tool-2.0)" "$(release pkg/v3)" \
        "$(release x6)" "$(release x7)" "$(release $'\u202ebidi')")}"
    local asked meant
    for pair in 1.2.3=v1.2.3 v2.0=tool-2.0 v3=pkg/v3 v1.2.33=v1.2.3 V1.2.2=v1.2.2; do
        asked=${pair%=*} meant=${pair#*=}
        run_ajob download o/r "$asked"
        assert_failure 1
        assert_stderr --partial "ajob: download: o/r: release $asked: not found; did you mean $meant?"
    done
    run_ajob download o/r nothing-like-it
    assert_stderr --partial 'not found; there are v1.2.3, v1.2.2, tool-2.0, pkg/v3, x6 and others'
    run_ajob download o/r bidi
    assert_equal "$(grep -c $'\u202e' "$AJOB_ERR")" 0
    assert_requests 7 '/releases\?per_page=100 (200|304)'
    # Not if it cannot be asked.
    set_fixture "{\"errors\": {\"releases\": {\"status\": 502}}, $(repo "$(release v2)")}"
    fails_with 'o/r: release v1: not found, or private: set GH_TOKEN'
}

@test "tags are one segment of the path, whatever is in them" {
    local tag tags=('pkg/v1#b+c' 'a%2Fb' 'v 1' 'é' 'a?b&c' '100%' 'x;y=z' "quo'te")
    start_server "{$(repo "$(for tag in "${tags[@]}"; do release "$tag"; echo ,; done | sed '$d')")}"
    for tag in "${tags[@]}"; do
        run_ajob download -d out o/r "$tag"
        assert_success
        assert_exists "out/${tag//\//_}/a"
    done
    assert_equal "$(tree out | wc -l)" "${#tags[@]}"
    assert_requests "${#tags[@]}" '^main GET /repos/o/r/releases/tags/[^/?]* 200'
    run_ajob download o/r v1/ # not the tag v1
    assert_failure 1
    assert_requests 1 '/tags/v1%2F 404'
}

# ---- digests ---------------------------------------------------------------

@test "--require-digest refuses what has none before it is asked for; the others come" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [
        {"name": "bare", "size": 10, "digest": null}, {"name": "absent", "size": 10, "digest": "absent"},
        {"name": "summed", "size": 10, "seed": 2, "digest": null}, {"name": "good", "size": 10},
        {"name": "SHA256SUMS", "content": "${sha256:summed}  summed\n"}]}]}}}'
    run_ajob download --require-digest -x SHA256SUMS o/r
    assert_failure 1
    assert_tree . v1/good v1/summed
    assert_stderr --partial 'ajob: download: v1/bare: it has no digest, from the API or in a file of checksums: refused'
    assert_stderr --partial 'ajob: download: v1/absent: it has no digest'
    assert_stderr --regexp 'downloaded v1/summed .* sha256 ok'
    assert_requests 0 'download/v1/(bare|absent)'
    run_ajob download --require-digest -d two -p good -p summed o/r
    assert_success
    run_ajob download --require-digest --fail-fast -d three o/r
    assert_failure 1
    run_ajob download --require-digest --list o/r
    assert_failure 1
    assert_equal "$(cut -f 2 <<<"$output" | sort | xargs)" "SHA256SUMS good summed"
}

@test "where the API and a file of checksums disagree the API counts" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": 10},
        {"name": "b", "size": 10, "seed": 2, "digest": null},
        {"name": "SHA256SUMS", "content": "${sha256:b}  a\n${sha256:b}  b\n"}]}]}}}'
    run_ajob download -x SHA256SUMS o/r
    assert_success
    assert_body v1/a 0 10
    assert_body v1/b 2 10
}

# ---- tokens ----------------------------------------------------------------

@test "a wrong token is said to be one, and nothing is tried without it" {
    start_server "{\"token\": \"good\", $(repo "$(release v1)")}"
    GH_TOKEN=3xp1red fails_with 'o/r: release v1: HTTP 401 (Unauthorized): Bad credentials: the token is wrong or has expired; what is public needs none'
    assert_requests 1
    assert_equal "$(requests . headers.authorization)" 'Bearer 3xp1red'
    refute_stderr --partial 3xp1red
    run_ajob download o/r v1 # as it says
    assert_success
}

@test "in a workflow, not found may be due to the workflow's token" {
    start_server '{"token": "t", "repos": {"o/private": {"private": true}}}'
    export GITHUB_ACTIONS=true
    GITHUB_TOKEN=t fails_with "or private: the workflow's GITHUB_TOKEN sees its own repository only, set GH_TOKEN to another"
    GH_TOKEN=t GITHUB_TOKEN=t fails_with 'not found, or the token has no access to it'
    fails_with 'not found, or private: set GH_TOKEN'
    unset GITHUB_ACTIONS
    GITHUB_TOKEN=t fails_with 'not found, or the token has no access to it'
}

@test "403 says what the token lacks, without secrets" {
    start_server "{\"errors\": {\"*\": {\"status\": 403, \"header\": \"X-Accepted-GitHub-Permissions:contents=read\",
        \"body\": \"{\\\"message\\\": \\\"Resource not accessible by personal access token\\\"}\"}}, $(repo)}"
    GH_TOKEN=t fails_with 'HTTP 403 (Forbidden): Resource not accessible by personal access token: the token needs the permissions contents=read'
    set_fixture "{\"errors\": {\"*\": {\"status\": 403,
        \"header\": \"X-GitHub-SSO:required; url=https://github.com/orgs/acme/sso?authorization_request=S3CRET\",
        \"body\": \"{\\\"message\\\": \\\"Resource protected by organization SAML enforcement.\\\"}\"}}, $(repo)}"
    GH_TOKEN=t fails_with "enforcement.: the token has to be authorized for the organization's SSO at https://github.com/orgs/acme/sso"
    refute_stderr --partial S3CRET
    assert_requests 2
}

# ---- limits ----------------------------------------------------------------

@test "a secondary limit that says so in words only is waited for a minute" {
    local said='"body": "{\"message\": \"You have exceeded a secondary rate limit. Please wait a few minutes\"}"'
    start_server "{\"errors\": {\"*\": {\"status\": 403, $said}}, $(repo)}"
    run_ajob download --max-wait 5s o/r v1
    assert_failure 1
    assert_stderr --partial 'HTTP 403: rate limit of the API, until '
    assert_stderr --partial '(in 1m'
    assert_stderr --partial 'longer than --max-wait; a token raises it: set GH_TOKEN'
    assert_requests 1
    set_fixture "{\"errors\": {\"*\": {\"status\": 403, \"retry_after\": 1, \"times\": 2, $said}}, $(repo "$(release v1)")}"
    run_ajob download --retry-delay 1ms o/r v1
    assert_success
    assert_stderr --partial 'retrying v1 in 1.0s (attempt 2): o/r: release v1: HTTP 403: rate limit'
}

@test "a primary limit that has just ended is no reason to give up" {
    start_server "{\"clock_skew\": -7200, \"rate_limit\": {\"status\": 429, \"reset_in\": 0, \"times\": 1}, $(repo "$(release v1)")}"
    run_ajob download --retry-delay 1ms o/r v1
    assert_success
}

# ---- repositories that have moved ------------------------------------------

@test "the token follows a renamed repository on the API's host, and no redirect elsewhere" {
    start_server '{"token": "secret", "repos": {"new/name": {"private": true, "releases": [{"tag": "v1",
        "assets": [{"name": "a", "size": 10}]}]}, "old/name": {"renamed_to": "new/name"}}}'
    GH_TOKEN=secret run_ajob download -d one old/name v1
    assert_success
    assert_tree one v1/a
    assert_equal "$(requests '^main GET /repositories/1001/releases/tags/v1 200' headers.authorization)" 'Bearer secret'
    GH_TOKEN=secret run_ajob download -d two old/name v1 # the answer is kept under the old name
    assert_requests 1 '/repositories/1001/releases/tags/v1 304'
    GH_TOKEN=secret run_ajob download --no-cache --all -d three old/name
    assert_success
    assert_tree three v1/a
    set_fixture '{"errors": {"*": {"redirect": "storage", "redirect_status": 301}}, "repos": {"o/r": {}}}'
    GH_TOKEN=secret run_ajob download -r 0 -d four o/r v1
    assert_failure 1
    assert_equal "$(requests_where 'listener != "main" and "authorization" in headers')" ""
}

@test "GitHub Enterprise: GITHUB_API_URL with a path and a slash, or the repository's URL" {
    start_server "{\"token\": \"t\", $(repo "$(release v1)")}"
    export GH_TOKEN=t
    GITHUB_API_URL=$MAIN/api/v3/ run_ajob download --lock l -d one o/r v1
    assert_success
    assert_equal "$(sed -n 's/ *"api": "\(.*\)",/\1/p' l)" "$MAIN/api/v3"
    assert_requests 1 '^main GET /api/v3/repos/o/r/releases/tags/v1 200'
    assert_requests 1 '^main GET /api/v3/repos/o/r/releases/assets/10010000000 302'
    GITHUB_API_URL=http://127.0.0.1:1 run_ajob download --token-file <(echo t) --locked l -d two "$MAIN/o/r"
    assert_success
    assert_tree two v1/a
    assert_requests 2 '^main GET /api/v3/repos/o/r/releases/assets/10010000000 302'
    assert_requests 0 '^main GET /repos'
    GITHUB_API_URL=http://127.0.0.1:1 run_ajob download --locked l -d three
    assert_failure 2
    assert_stderr --partial "locked for the API $MAIN/api/v3: set GITHUB_API_URL or give the repository's URL"
}

# ---- assets that are replaced meanwhile -------------------------------------

# two ASSET: v1 with one that is held back, and this one
two() {
    echo "{\"token\": \"t\", \"repos\": {\"o/r\": {\"releases\": [{\"tag\": \"v1\", \"assets\": [
        {\"name\": \"held\", \"size\": 10, \"query\": \"latch=go\"}, $1]}]}}}"
}

# replaced ASSET ARGUMENT...: asset 7 is listed, then there is ASSET, then it is asked for
replaced() {
    start_server "$(two '{"name": "a", "id": 7, "size": 300, "seed": 1}')"
    GH_TOKEN=t start_ajob download -j 1 --events events "${@:2}" o/r v1
    wait_for_request '^storage .*held$'
    set_fixture "$(two "$1")"
    open_latch go
    wait_ajob
}

@test "an asset that was replaced after it was listed: one new look, and the new one" {
    replaced '{"name": "a", "id": 8, "size": 400, "seed": 2}' --lock l
    assert_success
    assert_tree . events l v1/a v1/held
    assert_body v1/a 2 400
    assert_requests 1 '/releases/assets/7 404'
    assert_requests 1 '^main GET /repos/o/r/releases/[0-9]*/assets'
    assert_requests 1 '/releases/assets/8 302'
    assert_equal "$(events events 'event == "task.note"' task text)" $'v1/a\tthe asset was replaced meanwhile: downloading the new one'
    assert_equal "$(grep '"id"' l | xargs)" "id: 8, id: 10010000000,"
}

@test "an asset that is gone from the release, or is as it was: a failure, after one look" {
    replaced '{"name": "b", "id": 8, "size": 400}'
    assert_failure 1
    assert_stderr --regexp 'ajob: download: v1/a: HTTP 404 .*: the release does not have it any more'
    assert_requests 1 '^main GET /repos/o/r/releases/[0-9]*/assets'
    assert_tree . events v1/held
    stop_server
    rm -r v1 "$XDG_CACHE_HOME" "$SERVER_STATE"/*.jsonl
    start_server '{"token": "t", "errors": {"releases/assets/a": {"status": 404}}, "repos": {"o/r": {"releases": [
        {"tag": "v1", "assets": [{"name": "a", "size": 10}]}]}}}'
    GH_TOKEN=t run_ajob download o/r v1
    assert_failure 1
    assert_stderr --partial 'ajob: download: v1/a: HTTP 404 (Not Found)'
    refute_stderr --partial 'any more'
    assert_requests 1 '/assets/10010000000'
    assert_requests 1 '/releases/[0-9]*/assets'
}

@test "a successor that is worse is not taken: without its digest, not complete, gone again" {
    replaced '{"name": "a", "id": 8, "size": 400, "seed": 2, "digest": null}'
    assert_failure 1
    assert_stderr --partial 'ajob: download: v1/a: HTTP 404 (Not Found)'
    assert_requests 0 '/releases/assets/8'
    stop_server
    rm -r v1 "$XDG_CACHE_HOME"
    replaced '{"name": "a", "id": 8, "size": 400, "state": "starter"}'
    assert_failure 1
    assert_requests 0 '/releases/assets/8'
    assert_tree . events v1/held
}

@test "SIGINT while it looks" {
    start_server "$(two '{"name": "a", "id": 7, "size": 300, "seed": 1}')"
    GH_TOKEN=t start_ajob download -j 1 o/r v1
    wait_for_request '^storage .*held$'
    set_fixture "$(two '{"name": "b"}' | sed 's/^{/{"errors": {"releases\/v1\/assets": {"latch": "never"}}, /')"
    open_latch go
    wait_for_request '/releases/[0-9]*/assets.* held$'
    kill -INT "$AJOB_PID"
    expect_status 130
    wait_ajob
    assert_tree . v1/held
    open_latch never
}
