# Answers of the API that are kept: a run that finds nothing new costs no quota, and
# nothing that stands in the cache, or in its way, is a reason to fail.

load ../helpers

setup() {
    common_setup
    API=$XDG_CACHE_HOME/ajob/api
}
teardown() { common_teardown; }

GOOD='"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": 10, "seed": 1}]}]}}'
OTHER='"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "b", "size": 10, "seed": 2}]}]}}'

# entries: how many answers are kept
entries() { find "$API" -type f 2>/dev/null | wc -l; }

statuses() { requests '^main GET /(repos|repositories)/' status | tr '\n' ' '; }

@test "a second run has only 304s, and does what the first did" {
    start_server "$("$PYTHON" -c 'import json; print(json.dumps({"page_size": 2, "embed_limit": 30, "repos": {"o/r": {"releases": [
        {"tag": f"v{n}", "assets": [{"name": f"{k}", "size": 5, "seed": n} for k in range(31 if n == 3 else 1)]}
        for n in range(5)]}}}))')"
    run_ajob download -p 0 -A -d one o/r
    assert_success
    assert_equal "$(requests_where '"if-none-match" in headers')" ""
    local before
    before=$(count_requests '^main GET /rep.* 200')
    run_ajob download -p 0 -A -d two o/r
    assert_success
    assert_equal "$(tree one)" "$(tree two)"
    assert_equal "$before" 19 # 3 pages of releases, 16 of assets
    assert_requests 19 '^main GET /rep.* 200'
    assert_requests 19 '^main GET /rep.* 304'
    assert_equal "$(requests '304 ok$' headers.if-none-match | grep -cv '^W/"[0-9a-f]*"$')" 0
}

@test "a run that the rate limit would refuse is free when nothing has changed" {
    start_server "{\"rate_limit\": {\"remaining\": 1, \"reset_in\": 900}, $GOOD}"
    run_ajob download o/r
    assert_success
    run_ajob download -d two o/r
    assert_success
    assert_requests 1 '/releases/latest 304'
    assert_body two/v1/a 1 10
    run_ajob download --no-cache -d three o/r
    assert_failure 1
    assert_stderr --partial 'rate limit of the API'
}

@test "what has changed is asked for and kept anew" {
    start_server "{$GOOD}"
    run_ajob download -d one o/r
    set_fixture "{$OTHER}"
    run_ajob download -d two o/r
    run_ajob download -d three o/r
    assert_tree two v1/b
    assert_tree three v1/b
    assert_equal "$(statuses)" "200 200 304 "
    assert_equal "$(entries)" 1
}

@test "the files are for their owner alone, and nothing else is left" {
    start_server "{$GOOD}"
    umask 0
    run_ajob download o/r
    assert_success
    assert_equal "$(find "$XDG_CACHE_HOME" -mindepth 1 -printf '%y%m ' | tr ' ' '\n' | sort | xargs)" "d700 d700 f600"
    [[ $(basename "$(find "$API" -type f)") =~ ^[0-9a-f]{64}$ ]]
}

@test "--no-cache, no home, and a home that is no path: nothing is kept or asked for" {
    start_server "{$GOOD}"
    run_ajob download o/r
    run_ajob download --no-cache o/r
    assert_success
    rm -r "$XDG_CACHE_HOME"
    run_ajob download --no-cache o/r
    (
        unset XDG_CACHE_HOME HOME
        run_ajob download o/r
        assert_success
        XDG_CACHE_HOME=here HOME=there run_ajob download o/r
        assert_success
    )
    refute_exists "$XDG_CACHE_HOME"
    assert_tree . v1/a
    assert_equal "$(statuses)" "200 200 200 200 200 "
}

@test "without XDG_CACHE_HOME it is in the home directory" {
    start_server "{$GOOD}"
    expect_stray
    unset XDG_CACHE_HOME
    run_ajob download o/r
    run_ajob download o/r
    assert_equal "$(statuses)" "200 304 "
    assert_equal "$(find "$HOME" -type f | sed 's/[0-9a-f]\{64\}$/*/')" "$HOME/.cache/ajob/api/*"
}

@test "what was seen with one token is not shown to another, nor without one" {
    start_server '{"token": "secret", "repos": {"o/r": {"private": true, "releases": [{"tag": "v1",
        "assets": [{"name": "a", "size": 10}]}]}}}'
    GH_TOKEN=secret run_ajob download -d one o/r v1
    assert_success
    run_ajob download -d two o/r v1
    assert_failure 1
    GH_TOKEN=wrong run_ajob download -d two o/r v1
    assert_failure 1
    assert_tree . one/v1/a
    assert_requests 3 '^main GET /repos/o/r/releases/tags'
    assert_equal "$(requests_where '"if-none-match" in headers')" ""
    GH_TOKEN=secret run_ajob download -d two o/r v1
    assert_success
    assert_requests 1 '/tags/v1 304'
    assert_equal "$(grep -rc secret "$XDG_CACHE_HOME" | grep -cv ':0$')" 0
}

@test "an entry that is damaged, cut off, foreign or huge is not used, and replaced" {
    start_server "{$GOOD}"
    run_ajob download o/r
    local file good
    file=$(find "$API" -type f)
    good=$(cat "$file")
    for harm in "sed -i s/v1/v2/ $file" "truncate -s 100 $file" "truncate -s -1 $file" "truncate -s 0 $file" \
        "cp /bin/true $file" "truncate -s 1G $file" "sed -i 2s/latest/latesx/ $file" "sed -i 1s/-1/-2/ $file"; do
        $harm
        run_ajob download -d out o/r
        assert_success
        assert_tree out v1/a
        assert_equal "$(cat "$file")" "$good"
        rm -r out
    done
    assert_requests 0 ' 304'
}

@test "links, FIFOs and directories in the cache are neither read nor written through" {
    start_server "{$GOOD}"
    run_ajob download o/r
    local file
    file=$(find "$API" -type f)
    mv "$file" kept
    cp kept copy
    ln -s "$PWD/kept" "$file"
    run_ajob download o/r
    assert_success
    cmp kept copy
    [[ -f $file && ! -L $file ]]
    ln -f kept "$file" # another name of a file
    run_ajob download o/r
    assert_success
    rm "$file" && mkfifo "$file"
    run_ajob download o/r
    assert_success
    rm "$file" && mkdir "$file"
    run_ajob download o/r
    assert_success
    assert_equal "$(statuses)" "200 200 200 200 200 "
    cmp kept copy
    rm -r "$API" && mkdir elsewhere && ln -s "$PWD/elsewhere" "$API"
    run_ajob download o/r
    assert_success
    assert_tree elsewhere
}

@test "a directory that others may write to, or that cannot be made, is no cache" {
    start_server "{$GOOD}"
    mkdir -p "$API" && chmod 777 "$API"
    run_ajob download o/r
    assert_success
    assert_equal "$(entries)" 0
    chmod 755 "$API" # that they can only read it is mended
    run_ajob download o/r
    assert_equal "$(entries) $(stat -c %a "$API")" "1 700"
    rm -r "$XDG_CACHE_HOME" && echo file >"$XDG_CACHE_HOME"
    run_ajob download o/r
    assert_success
    refute_stderr --partial cache
}

@test "a full disk does not matter to it" {
    start_server "{$GOOD}"
    (
        ulimit -f 1 # KiB: less than the answer has
        run_ajob download --list o/r
        assert_success
        assert_output --partial $'v1\ta\t10'
    )
    assert_equal "$(find "$API" -mindepth 1)" ""
}

@test "what is old goes, what was used last stays, what is not ours is left alone" {
    start_server "{$GOOD}"
    run_ajob download o/r
    local file names
    file=$(find "$API" -type f)
    touch -d '31 days ago' "$API/$(printf '1%.0s' {1..64})" "$API/mine"
    touch -d '2 hours ago' "$API/.new-7-0"
    touch "$API/.new-8-0"
    truncate -s 40M "$API/$(printf '2%.0s' {1..64})" "$API/$(printf '3%.0s' {1..64})"
    touch -d '1 hour ago' "$API/$(printf '2%.0s' {1..64})"
    touch -d '20 days ago' "$file"
    run_ajob download o/r # 304: in use
    assert_equal "$(find "$file" -mmin -5)" "$file"
    set_fixture "{$OTHER}"
    run_ajob download o/r
    names=$(cd "$API" && find . -type f -printf '%P\n' | sort)
    assert_equal "$names" "$(printf '%s\n' .new-8-0 "$(printf '3%.0s' {1..64})" "$(basename "$file")" mine | sort)"
    (cd "$API" && for n in {100000..101100}; do echo "$(printf '0%.0s' {1..58})$n"; done | xargs touch -d yesterday)
    set_fixture "{$GOOD}"
    run_ajob download o/r
    assert_success
    assert_equal "$(($(entries) <= 1002))" 1
    assert_exists "$file"
}

@test "an answer without an ETag, an error, or what is no JSON is not kept" {
    start_server "{\"raw\": {\"releases/latest\": \"{\\\"id\\\": 1, \\\"tag_name\\\": \\\"v1\\\", \\\"assets\\\": []}\"}, $GOOD}"
    run_ajob download o/r
    assert_failure 1
    set_fixture "{\"errors\": {\"*\": {\"status\": 404, \"header\": \"ETag:W/\\\"x\\\"\"}}, $GOOD}"
    run_ajob download -r 0 o/r v1
    assert_failure 1
    set_fixture "{\"errors\": {\"*\": {\"html\": 1, \"header\": \"ETag:W/\\\"x\\\"\"}}, $GOOD}"
    run_ajob download -r 0 o/r v1
    assert_failure 1
    assert_equal "$(entries)" 0
}

@test "a last page that is full is asked for anew: what comes behind it would not be seen" {
    start_server "$("$PYTHON" -c 'import json; print(json.dumps({"repos": {"o/r": {"releases": [
        {"tag": f"v{n}", "assets": [{"name": "a", "size": 5, "seed": n}] if n == 0 else []} for n in range(100)]}}}))')"
    run_ajob download -A o/r
    assert_success
    run_ajob download -A o/r
    assert_success
    assert_equal "$(statuses)" "200 200 "
}

@test "a 304 that was not asked for is a failure, not an answer" {
    start_server "{\"errors\": {\"*\": {\"status\": 304}}, $GOOD}"
    run_ajob download -r 0 o/r v1
    assert_failure 1
    assert_stderr --partial 'HTTP 304'
    assert_tree .
}
