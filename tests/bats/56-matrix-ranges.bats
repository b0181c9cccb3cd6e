# The matrix of ranges: every way in which the rest of a file can be promised, withheld
# or forged. What is put together is one version of the file, or it is not the file.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

MISMATCH='the server sent another range than asked for'

# go_on FAULTS [OPTION...]: a download that broke off after 200 of 300 KiB, run again
# against a server with these faults. `asked` is what the second run asked for.
go_on() {
    local url="$MAIN/f/a?size=300K&seed=1&begin=200K&$1"
    run_ajob get -r 0 "${@:2}" "$url"
    assert_failure 1
    requests >/dev/null # waits for their ends
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get --retry-delay 1ms -r 2 "${@:2}" "$url"
    asked=$(requests . headers.range status sent | tr '\t\n' ' ,')
}

# starts_clean FAULTS [OPTION...]: the second run throws away what there was, once
starts_clean() {
    go_on "$@"
    assert_success
    assert_body a 1 300K
    assert_tree . a
    rm a
}

# all_go_on COMMON FAULTS...: the same for many files at once, f101, f102…, each with its
# own faults and the common ones; `asked` by file, the ETag as TAG
all_go_on() {
    local fault
    urls=()
    for fault in "${@:2}"; do
        urls+=("$MAIN/f/f$((${#urls[@]} + 101))?size=300K&seed=1&begin=200K&$fault&$1")
    done
    run_ajob get -r 0 "${urls[@]}"
    assert_failure 1
    assert_stderr --partial "${#urls[@]} failed"
    requests >/dev/null
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob get --retry-delay 1ms -r 2 "${urls[@]}"
    asked=$(requests . path headers.range headers.if-range status sent | sed 's/"[^"]*"/TAG/' | sort -sk 1,1)
}

# all_are NAME...: these files are here, each the body 1 of 300 KiB, and nothing else
all_are() {
    assert_tree . "$@"
    assert_equal "$(sha256sum "$@" | cut -d ' ' -f 1 | sort -u)" "$(body_sha256 1 300K)"
}

# for_each COUNT LINE...: the lines with f1, f2… before each
for_each() {
    local i
    for ((i = 101; i <= 100 + $1; i++)); do printf "/f/f$i\t%s\n" "${@:2}"; done
}

@test "a 206 that is no answer to the question: thrown away, and a clean start" {
    start_server
    local range='content_range=bytes%20204800-307199' faults
    faults=(range_unit=items content_range=bytes content_range=bytes%20x-y/z content_range=
        "$range/307200,%20bytes%200-1/2" "$range" "$range/307199" "$range/307201"
        content_range=bytes%20204800-99999999999999999999/307200 content_range=bytes%20204800-9223372036854775806/9223372036854775807
        content_range=bytes%20307199-204800/307200 content_range=bytes%20-102400/307200 content_range=bytes%20*/307200
        content_range=0x32000-307199/307200 wrong_start=-1 wrong_start=1 no_content_range=1 gzip=lie header=Content-Encoding:br)
    all_go_on only=range "${faults[@]}"
    assert_success
    all_are f{101..119}
    assert_equal "$(cut -f 1-4 <<<"$asked")" "$(for_each 19 $'bytes=204800-\tTAG\t206' $'\t\t200')"
    assert_equal "$(grep -cE "^retrying f1.. (at once|in [0-9]+ms) \(attempt 2\): $MISMATCH$" <<<"$stderr")" 19
}

@test "a 206 that leaves the total open is joined, for the note knows it" {
    start_server
    starts_clean 'content_range=bytes%20204800-307199/*&only=range'
    assert_equal "$asked" 'bytes=204800- 206 102400,'
    assert_stderr --partial 'resumed at 200.0 KiB'
}

@test "206 without a question is no file" {
    start_server
    local url="$MAIN/f/a?size=300K&seed=1"
    run_ajob get -r 0 "$url&unasked206=0" -o a
    assert_stderr --partial "ajob: get: $MAIN/f/a: $MISMATCH"
    run_ajob get -r 0 "$MAIN/f/b?size=300K&unasked206=5" "$MAIN/f/c?size=300K&unasked206=0&wrong_total=307201" \
        "$MAIN/f/d?size=300K&unasked206=0&no_content_range=1" "$MAIN/f/e?status=206"
    assert_failure 1
    assert_equal "$(grep -c "^ajob: get: .*: $MISMATCH$" <<<"$stderr")" 4
    assert_tree .
    assert_requests 5
    assert_equal "$(requests . headers.range | sort -u)" ''
}

@test "a range that is longer than it says: not a byte too many, and not a file" {
    start_server
    local fault
    for fault in more=7 'more=8&chunked=1' 'more=64K&length=none'; do
        go_on "$fault&only=range&times=1"
        assert_failure 1
        assert_stderr --partial 'the body is longer than the range it was said to be'
        refute_exists a
        (($(stat -c %s a.part 2>/dev/null || echo 0) <= 307200))
        run_ajob get --retry-delay 1ms "$MAIN/f/a?size=300K&seed=1&begin=200K&$fault&only=range&times=1"
        assert_success
        all_are a
        rm a
    done
}

@test "a range that is shorter than it says is asked for again, from where it ended" {
    start_server
    starts_clean 'length=50K&only=range&times=1'
    assert_equal "$(requests . headers.range)" $'bytes=204800-\nbytes=256000-'
    assert_stderr --partial 'the body ended early: 256000 of 307200 bytes'
    starts_clean 'length=200K&only=range&times=1' # than its Content-Length, which is wrong
    assert_equal "$(requests . headers.range)" $'bytes=204800-\nbytes=307199-'
    starts_clean 'close_at=50K&chunked=1&only=range&times=1'
    assert_equal "$(requests . headers.range)" $'bytes=204800-\nbytes=256000-'
    starts_clean 'close_at=50K&length=none&only=range&times=1' # nothing but Content-Range tells
    assert_equal "$(requests . headers.range)" $'bytes=204800-\nbytes=256000-'
}

@test "416 while bytes are missing: over again, whatever total it names" {
    start_server
    local faults=(h416=equal h416=other h416=bare status=416 'status=416&header=Content-Range:bytes%20*/204800'
        'status=416&header=Content-Range:bytes%20204800-307199/307200')
    all_go_on only=range "${faults[@]}"
    assert_success
    all_are f{101..106}
    assert_equal "$(cut -f 1,2,4 <<<"$asked")" "$(for_each 6 $'bytes=204800-\t416' $'\t200')"
    assert_equal "$(grep -c 'retrying .*: HTTP 416 (Range Not Satisfiable): the file has changed' <<<"$stderr")" 6
}

@test "an answer that is neither the rest nor the file costs nothing of what is here" {
    start_server
    local faults=(status=204 status=304 status=403 status=404 status=410 status=401 status=202 'redirect=ftp://x/')
    all_go_on 'only=range&times=1' "${faults[@]}"
    assert_failure 1
    assert_stderr --partial '8 failed'
    assert_tree . f{101..108}.part{,.json}
    assert_equal "$(stat -c %s f10*.part | sort -u)" 204800
    run_ajob get "${urls[@]}"
    assert_success
    all_are f{101..108}
    assert_requests 8 ' 206 ok$'
    assert_equal "$(requests ' 206 ' sent | sort -u)" 102400
}

@test "another ETag for the range alone: the whole file, in that answer or the next" {
    start_server
    go_on 'range_etag=%22new%22&range_seed=2&range_lm=Thu,%2002%20Jan%202025%2000:00:00%20GMT'
    assert_success
    assert_body a 2 300K
    assert_equal "$asked" 'bytes=204800- 200 307200,'
    assert_stderr --partial 'note: a: starting over: the server sends the whole file, not the rest'
    rm a
    starts_clean 'range_etag=%22new%22&range_seed=2&if_range=ignore' # from a server that heeds no If-Range
    assert_equal "$(requests . status)" $'206\n200'
    assert_stderr --partial "$MISMATCH"
}

@test "a tag that is new with each answer: the whole file, once" {
    start_server
    starts_clean etag=rotate
    assert_equal "$asked" 'bytes=204800- 200 307200,'
    starts_clean if_range=never
    assert_equal "$asked" 'bytes=204800- 200 307200,'
}

@test "a weak tag asks for nothing; with a digest the range is asked for without it" {
    start_server
    local kinds=('etag=weak&range_etag=strong' 'etag=W/%22%22' 'etag=%27x%27' etag=bare 'etag=weak&lm=none')
    all_go_on '' "${kinds[@]}"
    assert_success
    all_are f{101..105}
    assert_equal "$(cut -f 1-4 <<<"$asked")" "$(for_each 5 $'\t\t200')"
    rm f*
    starts_clean 'etag=weak&range_etag=strong' --sha256 "$(body_sha256 1 300K)"
    assert_equal "$asked" 'bytes=204800- 206 102400,'
    assert_equal "$(requests . headers.if-range)" ''
}

@test "another date beside the same tag: the tag decides, a date alone does too" {
    start_server
    local later='Thu,%2002%20Jan%202025%2000:00:00%20GMT'
    starts_clean "range_lm=$later"
    starts_clean "etag=none&range_lm=$later&if_range=ignore&range_seed=2"
    assert_equal "$(requests . status)" $'206\n200'
    assert_stderr --partial "$MISMATCH"
}

@test "a date that is no older than the answer is no validator" {
    start_server
    local future
    future=$(date -ud '+1 hour' '+%a,%%20%d%%20%b%%20%Y%%20%H:%M:%S%%20GMT')
    all_go_on etag=none "lm=$future" lm=none
    assert_success
    all_are f101 f102
    assert_equal "$(cut -f 1-4 <<<"$asked")" "$(for_each 2 $'\t\t200')"
}

@test "another version without a sign of it: only a digest can tell, and does" {
    start_server
    local blind='etag=none&range_lm=none&if_range=ignore&range_seed=2'
    starts_clean "$blind&with" --sha256 "$(body_sha256 1 300K)"
    assert_stderr --regexp 'retrying a (at once|in [0-9]+ms) \(attempt 2\): sha256 mismatch: expected'
    assert_equal "$(requests . headers.range status)" $'bytes=204800-\t206\n\t200'
    # The same tag for other bytes is as blind.
    starts_clean 'if_range=ignore&range_seed=2' --sha256 "$(body_sha256 1 300K)"
    # Without a digest nothing can, so what happened is said.
    go_on "$blind"
    assert_success
    assert_stderr --partial 'resumed at 200.0 KiB'
    assert_equal "$(stat -c %s a)" 307200
}

@test "a file that changes while it is sent is found by its digest" {
    start_server
    local sum
    sum=$(body_sha256 1 300K)
    run_ajob get --sha256 "$sum" "$MAIN/f/a?size=300K&seed=1&change_at=150K"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/a: sha256 mismatch: expected $sum, got "
    assert_tree .
    assert_requests 1
    starts_clean 'change_at=50K&only=range' --sha256 "$sum"
    assert_equal "$(requests . headers.range status)" $'bytes=204800-\t206\n\t200'
}

@test "every attempt begins at the URL that was given: signatures are good once" {
    start_server
    starts_clean 'redirect=storage&signed=1'
    assert_equal "$(requests . listener headers.range status)" $'main\tbytes=204800-\t302\nstorage\tbytes=204800-\t206'
    # Several breaks in one run, too; and no signature is kept or told.
    run_ajob get -v --retry-delay 1ms -r 9 --events events "$MAIN/f/b?size=300K&seed=1&redirect=storage&signed=1&reset_at=100K&times=2"
    assert_success
    assert_body b 1 300K
    assert_requests 0 ' 403 '
    assert_equal "$(requests '^storage .*/b' headers.range)" $'\nbytes=102400-\nbytes=204800-'
    assert_equal "$(grep -c signature events "$AJOB_ERR")" $'events:0\n'"$AJOB_ERR:0"
}

@test "an interrupted asset, a login page in its place, and then the rest" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [
        {"name": "a", "size": "300K", "seed": 1, "query": "begin=200K&html=1&times=1"}]}]}}}'
    run_ajob download -r 0 o/r
    assert_tree . v1/a.part v1/a.part.json
    run_ajob download -r 0 o/r
    assert_failure 1
    assert_stderr --partial 'v1/a: the server has 65 bytes, expected 307200'
    refute_exists v1/a
    run_ajob download o/r
    assert_success
    assert_body v1/a 1 300K
    assert_tree . v1/a
}

@test "a 206 without the tag that the file has, or with a weak one, is another version" {
    start_server
    local fault
    for fault in range_etag=none range_etag=weak 'range_etag=none&range_lm=none' range_etag=bare; do
        starts_clean "$fault&range_seed=2&if_range=ignore"
        assert_equal "$(requests . headers.range status)" $'bytes=204800-\t206\n\t200'
    done
}

@test "200 with the tag of the file and only the missing bytes: over again" {
    start_server
    starts_clean 'rest200=1&only=range'
    assert_equal "$(requests . headers.range status)" $'bytes=204800-\t200\n\t200'
}

@test "what is no date is no validator" {
    start_server
    starts_clean 'etag=none&lm=nonsense'
    assert_equal "$asked" ' 200 307200,'
}

@test "a login page in place of the rest costs nothing of what is here, where the size is known" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [
        {"name": "a", "size": "300K", "seed": 1, "query": "begin=200K&html=1&times=1"}]}]}}}'
    run_ajob download -r 0 o/r
    run_ajob download -r 0 o/r
    assert_failure 1
    assert_tree . v1/a.part v1/a.part.json
    run_ajob download o/r
    assert_success
    assert_body v1/a 1 300K
    assert_equal "$(requests ' 206 ' sent)" 102400
}

@test "two ranges in one answer are none" {
    start_server
    starts_clean 'header=Content-Range:bytes%200-1/2&only=range&times=1'
    assert_stderr --partial 'the server sends two ranges that differ'
    go_on 'header=Content-Range:bytes%200-1/2&only=range&always'
    refute_exists a
    rm -f a.part a.part.json
}
