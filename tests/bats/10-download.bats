# ajob download: which assets of which releases arrive where, and what is said.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# Two releases; v2 is the latest.
RELEASES='{"repos": {"o/r": {"releases": [
    {"tag": "v3-rc", "prerelease": true, "assets": [{"name": "rc.bin", "size": 10}]},
    {"tag": "v2", "assets": [{"name": "a.bin", "size": "200K", "seed": 3},
                             {"name": "b.txt", "size": 100, "seed": 4}]},
    {"tag": "v1", "assets": [{"name": "a.bin", "size": 50, "seed": 5},
                             {"name": "old.tgz", "size": 60, "seed": 6}]},
    {"tag": "v0", "draft": true, "assets": [{"name": "draft.bin", "size": 10}]}]}}}'

# fixture ASSET...: one release v1 of o/r with these
fixture() {
    local IFS=,
    echo "{\"repos\": {\"o/r\": {\"releases\": [{\"tag\": \"v1\", \"assets\": [$*]}]}}}"
}

@test "the latest release: files in DIR/TAG, verified, one request to the API" {
    start_server "$RELEASES"
    run_ajob download -d new/out o/r
    assert_success
    refute_output
    assert_tree new/out v2/a.bin v2/b.txt
    assert_body new/out/v2/a.bin 3 200K
    assert_body new/out/v2/b.txt 4 100
    assert_stderr --regexp $'(^|\n)downloaded v2/a.bin  200.0 KiB  [0-9.]+m?s  sha256 ok(\n|$)'
    assert_stderr --regexp $'\n2 downloaded, 200.1 KiB in [0-9.]+m?s \\([0-9.]+ .iB/s\\)$'
    assert_equal "$(stat -c %Y new/out/v2/a.bin)" "$(date -d 'Wed, 01 Jan 2025 00:00:00 GMT' +%s)"
    assert_equal "$(stat -c %a new/out/v2/a.bin)" 644
    assert_requests 1 '^main GET /repos/o/r/releases/latest 200'
    assert_requests 0 '^main GET /repos/.*/assets'
    assert_requests 2 '^storage GET .* 200 ok$'
    assert_equal "$(requests '/releases/latest' headers.accept headers.x-github-api-version)" \
        $'application/vnd.github+json\t2022-11-28'
    assert_equal "$(requests_where '"ajob/" not in headers.get("user-agent", "")')" ""
}

@test "tags: a directory each, and each once" {
    start_server "$RELEASES"
    run_ajob download o/r v1 v2 v1
    assert_success
    assert_tree . v1/a.bin v1/old.tgz v2/a.bin v2/b.txt
    assert_body v1/a.bin 5 50
    assert_body v2/a.bin 3 200K
    assert_requests 1 '/releases/tags/v1 '
    assert_stderr --partial '4 downloaded'
}

@test "a tag that is not there fails the run after the others were downloaded" {
    start_server "$RELEASES"
    run_ajob download o/r v1 v9 v2
    assert_failure 1
    assert_tree . v1/a.bin v1/old.tgz v2/a.bin v2/b.txt
    assert_stderr --partial 'ajob: download: o/r: release v9: not found; there are v3-rc, v2, v1'
    assert_stderr --partial '4 downloaded, 1 failed'
    assert_requests 1 '/releases/tags/v9 404' # not tried again
    run_ajob download o/none v9
    assert_failure 1
    assert_stderr --partial 'ajob: download: o/none: release v9: not found, or private: set GH_TOKEN'
    GH_TOKEN=t run_ajob download o/none v9
    assert_failure 1
    assert_stderr --partial 'release v9: not found, or the token has no access to it'
}

@test "a draft's tag is not found, a prerelease's is" {
    start_server "$RELEASES"
    run_ajob download o/r v0 v3-rc
    assert_failure 1
    assert_tree . v3-rc/rc.bin
    assert_stderr --partial 'release v0: not found'
}

@test "--all reads every page of releases, prereleases too, drafts not" {
    start_server "$("$PYTHON" -c 'import json; print(json.dumps({"repos": {"o/r": {"releases": [
        {"tag": f"v{n}", "draft": n == 7, "prerelease": n == 8,
         "assets": [{"name": f"{k}", "size": n, "seed": n} for k in range(n % 50 == 8)]}
        for n in range(251)]}}}))')"
    run_ajob download -A o/r
    assert_success
    assert_tree . v8/0 v58/0 v108/0 v158/0 v208/0
    assert_body v208/0 208 208
    assert_requests 3 '^main GET /repositories/1001/releases|^main GET /repos/o/r/releases'
    assert_equal "$(requests_where '"/releases?" in target' target)" "$(printf '%s\n' \
        '/repos/o/r/releases?per_page=100' '/repositories/1001/releases?per_page=100&page=2' \
        '/repositories/1001/releases?per_page=100&page=3')"
}

@test "every page of assets is read where the release shows only some" {
    start_server "$("$PYTHON" -c 'import json; print(json.dumps({"embed_limit": 30, "repos": {"o/r": {"releases": [
        {"tag": "v1", "assets": [{"name": f"{k}.bin", "size": k, "seed": k} for k in range(130)]}]}}}))')"
    run_ajob download o/r v1
    assert_success
    assert_equal "$(tree v1 | wc -l)" 130
    assert_body v1/129.bin 129 129
    assert_body v1/0.bin 0 0
    assert_requests 2 '/assets\?per_page=100(&page=2)? 200'
    assert_stderr --partial '130 downloaded'
}

@test "--flat leaves the tag out" {
    start_server "$RELEASES"
    run_ajob download --flat --download-dir=out o/r v2
    assert_success
    assert_tree out a.bin b.txt
}

@test "two releases never write to one file" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v2", "assets": [{"name": "a", "size": 10, "seed": 1}]},
        {"tag": "v1", "assets": [{"name": "a", "size": 10, "seed": 2}, {"name": "b", "size": 5}]},
        {"tag": "x/y", "assets": [{"name": "c", "size": 10, "seed": 3}]}, {"tag": "x_y", "assets": [{"name": "c", "size": 10, "seed": 4}]}]}}}'
    run_ajob download --flat -j 1 o/r v2 v1
    assert_failure 1
    assert_stderr --partial 'ajob: download: v1/a: another asset would be written to a too'
    assert_tree . a b
    assert_body a 1 10
    run_ajob download -A -d all o/r
    assert_failure 1
    assert_stderr --partial 'ajob: download: x_y/c: another asset would be written to c too'
    assert_tree all v2/a v1/a v1/b x_y/c
    assert_body all/x_y/c 3 10
}

@test "-p and -x choose, both may be repeated" {
    start_server "$(fixture '{"name": "x-linux.tgz"}' '{"name": "x-linux.tgz.sig"}' '{"name": "x-mac.zip"}' \
        '{"name": "x-win.zip"}' '{"name": "X-LINUX.md"}')"
    run_ajob download -p '*linux*' -p '*mac*' -x '*.sig' o/r
    assert_success
    assert_tree . v1/x-linux.tgz v1/x-mac.zip
    run_ajob download -x '*.zip' -x '*linux*' -d rest o/r
    assert_success
    assert_tree rest v1/X-LINUX.md
}

@test "a pattern that matches nothing lists the names there are, and writes nothing" {
    start_server "$RELEASES"
    run_ajob download -p '*.deb' o/r v2
    assert_failure 1
    assert_stderr --partial 'ajob: download: v2: no asset matches; there are: a.bin, b.txt'
    assert_tree .
    run_ajob download -p 'old.*' o/r v1 v2 # what matches elsewhere comes
    assert_failure 1
    assert_tree . v1/old.tgz
    run_ajob download -A -p '*.deb' o/r
    assert_failure 1
    assert_stderr --partial 'no asset of any release matches'
}

@test "--all takes what matches in any release" {
    start_server "$RELEASES"
    run_ajob download -A -p 'old.*' o/r
    assert_success
    assert_tree . v1/old.tgz
    refute_stderr --partial 'no asset matches'
}

@test "--list prints tag, name, size and digest, and downloads nothing" {
    start_server "$(fixture '{"name": "a b.bin", "size": 100, "seed": 1}' \
        '{"name": "n", "size": 0, "digest": null}' '{"name": "\u001b[31mred", "size": 7, "digest": null}')"
    run_ajob download --list o/r
    assert_success
    assert_output "$(printf 'v1\t%s\n' "a b.bin"$'\t100\t'"sha256:$(body_sha256 1 100)" $'n\t0\t-' '\x1b[31mred\t7\t-' | sed $'3s/\\\\t/\t/g')"
    refute_stderr
    assert_tree .
    assert_requests 1
    run_ajob download --list -p n o/r
    assert_output $'v1\tn\t0\t-'
}

@test "--dry-run says what would go where, and downloads nothing" {
    start_server '{"repos": {"o/r": {"releases": [
        {"tag": "pkg/v1", "assets": [{"name": "-rf", "size": 5}, {"name": "a", "size": "3K"}]}]}}}'
    run_ajob download -n -d out o/r
    assert_success
    assert_tree .
    assert_line "would download $MAIN/o/r/releases/download/pkg/v1/a to out/pkg_v1/a (3.0 KiB)"
    assert_output --partial 'to out/pkg_v1/_rf (5 B)' # as it would be written
    run_ajob download -n --flat o/r
    assert_line "would download $MAIN/o/r/releases/download/pkg/v1/a to ./a (3.0 KiB)"
    run_ajob download -q --flat o/r
    assert_tree . _rf a
}

@test "a repository's URL, with what people paste after it" {
    start_server "$RELEASES"
    local repository count=0
    for repository in o/r.git o/r/ o/r.git/ github.com/o/r github.com/o/r.git github.com/o/r/ \
        https://github.com/o/r https://github.com/o/r.git https://github.com/o/r/; do
        run_ajob download -d "out$((++count))" "$repository" v1
        assert_success
        assert_tree "out$count" v1/a.bin v1/old.tgz
        rm -r "out$count"
    done
    assert_requests "$count" '^main GET /repos/o/r/releases/tags/v1 (200|304)'
    # What is behind it is not guessed at.
    : >"$SERVER_STATE/requests.jsonl"
    for repository in https://github.com/o/r/releases/tag/v1 https://github.com/o/r/releases/latest \
        https://github.com/o/r.git/tree/main 'https://github.com/o/r?tab=x' 'https://github.com/o/r#x' \
        github.com/o/r/releases o/r/releases/tag/v1 "$MAIN/o/r/releases/tag/v1"; do
        run_ajob download "$repository" v1
        assert_failure 2
        refute_output
        assert_stderr "ajob: download: ${repository%%[?#]*}: more than a repository: write o/r TAG"
        assert_tree .
    done
    assert_requests 0
    # Another host's API is its own, whatever GITHUB_API_URL says.
    GITHUB_API_URL=http://127.0.0.1:1 run_ajob download "$MAIN/o/r" v1
    assert_success
    assert_body v1/a.bin 5 50
    assert_requests 1 '^main GET /api/v3/repos/o/r/releases/tags/v1 200'
    GITHUB_API_URL=$MAIN/api/v3/ run_ajob download -d slash o/r v1
    assert_success
    assert_tree slash v1/a.bin v1/old.tgz
}

@test "one failed asset does not stop the others; the server's words are shown" {
    start_server "$(fixture '{"name": "a", "size": 10, "query": "status=403&body=%3CCode%3Eexpired"}' \
        '{"name": "b", "size": 10, "seed": 1}' '{"name": "c", "size": 10, "query": "status=410&body=it is gone\nfor good"}')"
    run_ajob download o/r
    assert_failure 1
    assert_tree . v1/b
    assert_stderr --partial 'ajob: download: v1/a: HTTP 403 (Forbidden)'
    assert_stderr --partial 'ajob: download: v1/c: HTTP 410 (Gone): it is gone'
    assert_stderr --partial '1 downloaded, 2 failed'
    assert_equal "$(tail -n 1 <<<"$stderr" | cut -d, -f1,2)" '1 downloaded, 2 failed'
}

@test "--fail-fast cancels the rest and keeps what had arrived" {
    start_server "$(fixture '{"name": "slow", "size": "1M", "query": "latch=go&latch_at=300K"}' \
        '{"name": "bad", "size": 10, "query": "status=404&latch=bad"}' '{"name": "late", "size": 10}')"
    start_ajob download --fail-fast --events events o/r -j 2
    wait_for_request '^storage .*slow held$'
    wait_until 60 test -s v1/slow.part
    open_latch bad
    wait_ajob
    assert_failure 1
    assert_stderr --partial $'ajob: download: v1/bad: HTTP 404 (Not Found)\n'
    assert_equal "$(events events 'event == "task.ended" and task == "v1/slow"' status cause)" \
        $'cancelled\tcancelled by sibling v1/bad'
    assert_tree . events v1/slow.part v1/slow.part.json
    expect_part
    open_latch go
    run_ajob download -k --fail-fast -k o/r # the last one counts
    assert_failure 1
    assert_tree . events v1/late v1/slow
    assert_body v1/slow 0 1M
}

@test "no digest: downloaded, and said aloud" {
    start_server "$(fixture '{"name": "a", "size": 10, "digest": null}' '{"name": "b", "size": 10, "digest": "absent"}' \
        '{"name": "c", "size": 10}')"
    run_ajob download --events events o/r
    assert_success
    assert_stderr --regexp 'downloaded v1/a  10 B  [^ ]+  not verified'
    assert_stderr --regexp 'downloaded v1/b  10 B  [^ ]+  not verified'
    assert_equal "$(events events 'event == "task.ended" and path' path verified sha256 | sort)" \
        "$(printf '%s\n' $'v1/a\tFalse\tNone' $'v1/b\tFalse\tNone' $'v1/c\tTrue\t'"$(body_sha256 0 10)")"
}

@test "a digest of another body: a failure, no file, no second try" {
    start_server "$(fixture '{"name": "a", "size": "300K", "seed": 1, "digest": "bad"}')"
    run_ajob download o/r
    assert_failure 1
    assert_stderr --partial "v1/a: sha256 mismatch: expected $(printf bad | sha256sum | cut -c1-64), got $(body_sha256 1 300K)"
    assert_tree . v1/
    assert_requests 1 '^storage'
    echo old >v1/a
    run_ajob download o/r
    assert_failure 1
    assert_equal "$(<v1/a)" old # what was there stays
    assert_tree . v1/a
}

@test "an upload that is not complete is a failure of that asset" {
    start_server "$(fixture '{"name": "late", "size": 10, "state": "starter", "digest": null}' '{"name": "b", "size": 10}')"
    run_ajob download o/r
    assert_failure 1
    assert_tree . v1/b
    assert_stderr --partial 'ajob: download: v1/late: its upload is not complete: the API says state "starter"'
    assert_requests 0 'download/v1/late'
    run_ajob download -x late o/r
    assert_success
}

@test "a digest of an unknown kind fails closed: nothing is asked for" {
    start_server "$(fixture '{"name": "a", "size": 10, "digest": "blake3:00ff"}' \
        '{"name": "b", "size": 10, "digest": "sha256:12"}' '{"name": "c", "size": 10, "digest": "sha256:zz"}')"
    run_ajob download o/r
    assert_failure 1
    assert_tree .
    assert_stderr --partial 'v1/a: its digest is of a kind that cannot be verified: blake3:00ff'
    assert_stderr --partial 'v1/b: its digest is of a kind that cannot be verified: sha256:12'
    assert_requests 0 '^storage|/download/'
}

@test "sha512 and upper case are digests too" {
    start_server "$(fixture "{\"name\": \"a\", \"size\": 10, \"digest\": \"sha512:$(body 0 10 | sha512sum | cut -c1-128)\"}" \
        "{\"name\": \"b\", \"size\": 10, \"digest\": \"SHA256:$(body_sha256 0 10 | tr a-f A-F)\"}")"
    run_ajob download o/r
    assert_success
    assert_stderr --regexp 'v1/a .*sha512 ok'
    assert_stderr --regexp 'v1/b .*sha256 ok'
}

@test "a size that is not the API's: a failure, never a file" {
    start_server "$(fixture '{"name": "short", "size": 10, "json": {"size": 11}}' \
        '{"name": "long", "size": 10, "json": {"size": 9}, "query": "chunked=1"}')"
    run_ajob download -r 0 o/r
    assert_failure 1
    assert_tree . v1/
    assert_stderr --partial 'v1/short: the server has 10 bytes, expected 11'
    assert_stderr --partial 'v1/long: the body is longer than the 9 bytes expected'
}

@test "a renamed repository is followed" {
    start_server '{"token": "secret", "repos": {"new/name": {"private": true, "releases": [{"tag": "v1",
        "assets": [{"name": "a", "size": 10}]}]}, "old/name": {"renamed_to": "new/name"}}}'
    GH_TOKEN=secret run_ajob download old/name v1
    assert_success
    assert_tree . v1/a
    assert_requests 1 '/repos/old/name/releases/tags/v1 301'
}

@test "with a token assets come through the API, by a redirect or at once" {
    start_server '{"token": "secret", "repos": {"o/r": {"private": true, "releases": [{"tag": "v1",
        "assets": [{"name": "a", "size": 10}, {"name": "b", "size": 20, "direct": true}]}]}}}'
    echo secret >token
    run_ajob download --token-file token -d out o/r
    assert_success
    assert_tree out v1/a v1/b
    assert_requests 2 '^main GET /repos/o/r/releases/assets/'
    assert_equal "$(requests '/releases/assets/' headers.accept | sort -u)" application/octet-stream
    run_ajob download -d none o/r
    assert_failure 1
    assert_stderr --partial 'o/r: latest release: not found, or private: set GH_TOKEN'
    GITHUB_TOKEN=secret run_ajob download -d out o/r
    assert_success
    GH_TOKEN=secret GITHUB_TOKEN=wrong run_ajob download -d out o/r
    assert_success
}

@test "a second run asks for no asset: up to date by digest" {
    start_server "$RELEASES"
    run_ajob download o/r v2
    touch -d 2001-01-01 v2/a.bin # the digest decides
    run_ajob download --events events o/r v2
    assert_success
    assert_stderr --partial 'up to date v2/a.bin'
    assert_stderr --partial '2 up to date in '
    assert_requests 2 '^storage'
    assert_requests 2 '/download/'
    assert_equal "$(stat -c %Y v2/a.bin)" "$(date -d 2001-01-01 +%s)"
    assert_equal "$(events events 'up_to_date' task verified bytes | sort | head -n 1)" $'v2/a.bin\tTrue\t204800'
}

@test "a file that differs is replaced at once, and keeps its permissions" {
    start_server "$(fixture '{"name": "a", "size": "200K", "seed": 1, "query": "latch=go&latch_at=100K"}')"
    mkdir v1 && head -c 204800 /dev/zero >v1/a && chmod 755 v1/a
    exec 4<v1/a
    start_ajob download o/r
    wait_for_request '^storage .*held$'
    wait_until 60 test -s v1/a.part
    cmp v1/a <(head -c 204800 /dev/zero) # nothing has happened to it yet
    open_latch go
    wait_ajob
    assert_success
    assert_body v1/a 1 200K
    assert_equal "$(stat -c %a v1/a)" 755
    cmp - <(head -c 204800 /dev/zero) <&4 # whoever had it open still has the old one
    exec 4<&-
}

@test "files of 0 bytes, and a tag with a slash" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "pkg/v1#b+c%", "assets": [
        {"name": "empty", "size": 0}, {"name": "void", "size": 0, "digest": null}]}]}}}'
    run_ajob download o/r 'pkg/v1#b+c%'
    assert_success
    assert_tree . 'pkg_v1#b+c%/empty' 'pkg_v1#b+c%/void'
    assert_equal "$(requests '/tags/' target)" '/repos/o/r/releases/tags/pkg%2Fv1%23b%2Bc%25'
    run_ajob download o/r
    assert_stderr --partial '2 up to date'
}

@test "a release without assets, and one that has none of all" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1"}]}, "o/none": {}}}'
    run_ajob download o/r v1
    assert_failure 1
    assert_stderr --partial 'ajob: download: v1: the release has no assets'
    assert_tree .
    run_ajob download -A o/r
    assert_failure 1
    assert_stderr --partial 'no release has an asset'
    run_ajob download -A o/none
    assert_failure 1
    run_ajob download o/none
    assert_failure 1
    assert_stderr --partial 'o/none: latest release: the repository has none'
}
