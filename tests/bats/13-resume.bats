# What an interrupted download leaves, and how the next one goes on from there.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

SIZE='size=500K&seed=1'

note() { "$PYTHON" -c 'import json; d = json.load(open("a.part.json")); print(*[d.get(key) for key in "part etag last_modified size".split()], sep="\t")'; }

@test "what has arrived is kept, and the next run asks for the rest" {
    start_server
    local url="$MAIN/f/a?$SIZE&reset_at=300K&times=1" etag
    run_ajob get -r 0 "$url"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/a: "
    assert_tree . a.part a.part.json
    cmp a.part <(body 1 300K)
    etag=$(curl -sSI "$MAIN/f/a?$SIZE" | sed -n 's/^ETag: \(.*\)\r$/\1/p')
    assert_equal "$(note)" "1"$'\t'"$etag"$'\t'None$'\t'512000
    assert_equal "$(stat -c %a a.part.json)" 600
    run_ajob get --events events "$url"
    assert_success
    assert_body a 1 500K
    assert_tree . a events
    assert_equal "$(requests_where 'status == 206' headers.range headers.if-range sent)" \
        "bytes=307200-"$'\t'"$etag"$'\t'204800
    assert_requests 3
    assert_stderr --regexp 'downloaded a  500.0 KiB .*  resumed at 300.0 KiB'
    assert_equal "$(events events 'event == "task.ended"' bytes resumed_from)" $'512000\t307200'
}

@test "the date stands in for an ETag that is not there" {
    start_server
    local url="$MAIN/f/a?$SIZE&etag=none&reset_at=300K&times=1"
    run_ajob get -r 0 "$url"
    run_ajob get "$url"
    assert_success
    assert_body a 1 500K
    assert_equal "$(requests ' 206 ' headers.if-range)" 'Wed, 01 Jan 2025 00:00:00 GMT'
}

@test "without a strong validator nothing is kept" {
    start_server
    for kind in 'etag=weak' 'etag=none&lm=none'; do
        local url="$MAIN/f/a?$SIZE&$kind&reset_at=300K&times=1"
        run_ajob get -r 0 "$url"
        assert_failure 1
        assert_tree .
        run_ajob get "$url"
        assert_success
        assert_body a 1 500K
        rm a
    done
    assert_equal "$(requests . headers.range | sort -u)" ""
}

@test "a digest is validator enough" {
    start_server
    local url="$MAIN/f/a?$SIZE&etag=weak&reset_at=300K&times=1" sum
    sum=$(body_sha256 1 500K)
    run_ajob get -r 0 --sha256 "$sum" "$url"
    assert_failure 1
    assert_tree . a.part a.part.json
    run_ajob get --sha256 "$sum" "$url"
    assert_success
    assert_equal "$(requests ' 206 ' sent headers.if-range)" $'204800\t'
    assert_stderr --regexp 'sha256 ok  resumed at 300.0 KiB'
}

@test "a digest that is given later judges what is there" {
    start_server
    local url="$MAIN/f/a?$SIZE&reset_at=300K&times=1" sum
    sum=$(body_sha256 1 500K)
    run_ajob get -r 0 "$url"
    assert_failure 1
    run_ajob get --sha256 "$sum" "$url"
    assert_success
    assert_stderr --regexp 'sha256 ok  resumed at 300.0 KiB'
    assert_body a 1 500K
    rm a
    # Not what it should be: found out, and mended.
    run_ajob get -r 0 "$url&key=c"
    assert_failure 1
    printf '%1000s' '' | dd of=a.part bs=1 seek=1000 conv=notrunc status=none
    run_ajob get --retry-delay 1ms --sha256 "$sum" "$url&key=c"
    assert_success
    assert_body a 1 500K
    rm a
    # The other way round nobody would judge it.
    run_ajob get -r 0 --sha256 "$sum" "$url&key=d"
    assert_failure 1
    run_ajob get "$url&key=d"
    assert_success
    refute_stderr --partial resumed
    assert_body a 1 500K
    assert_tree . a
}

@test "a file that has changed meanwhile comes whole, in one request" {
    start_server
    local url="$MAIN/f/a?$SIZE&etag=change&reset_at=300K&times=1"
    run_ajob get -r 0 "$url"
    run_ajob get "$url"
    assert_success
    assert_body a 2 500K
    assert_requests 2
    assert_requests 0 ' 206 '
    refute_stderr --partial resumed
}

@test "a server that heeds no If-Range cannot mix two versions" {
    start_server
    local url="$MAIN/f/a?$SIZE&etag=change&if_range=ignore&reset_at=300K&times=1"
    run_ajob get -r 0 "$url"
    run_ajob get --retry-delay 1ms "$url"
    assert_success
    assert_body a 2 500K
    # With a digest that is found too, and mended by a clean start.
    url="$MAIN/f/b?$SIZE&etag=none&lm=none&if_range=ignore&reset_at=300K&times=1"
    local sum
    sum=$(body_sha256 1 500K)
    run_ajob get -r 0 --sha256 "$sum" "$url"
    assert_tree . a b.part b.part.json
    printf X | dd of=b.part bs=1 seek=1000 conv=notrunc status=none
    run_ajob get --retry-delay 1ms --sha256 "$sum" "$url"
    assert_success
    assert_stderr --partial 'retrying b '
    assert_stderr --partial 'sha256 mismatch'
    assert_body b 1 500K
    assert_tree . a b
}

@test "a server without ranges: over again, in the same answer" {
    start_server
    local url="$MAIN/f/a?$SIZE&ranges=none&reset_at=300K&times=1"
    run_ajob get -r 0 "$url"
    run_ajob get "$url"
    assert_success
    assert_body a 1 500K
    assert_requests 2
    assert_equal "$(requests_where 'status == 200 and "range" in headers' outcome)" ok
    assert_stderr --partial 'note: a: starting over: the server sends the whole file, not the rest'
}

@test "a range that is not the one asked for is not put together with what is there" {
    start_server
    local fault
    for fault in wrong_start=-100 wrong_start=7 wrong_total=500001 no_content_range=1 multipart206=1; do
        local url="$MAIN/f/a?$SIZE&$fault"
        run_ajob get -r 0 "$MAIN/f/a?$SIZE&reset_at=300K" 
        assert_tree . a.part a.part.json
        sed -i "s/\"identity\": \"[^\"]*\"/\"identity\": \"url-sha256:$(printf %s "$url" | sha256sum | cut -c1-64)\"/" a.part.json
        run_ajob get --retry-delay 1ms -r 1 "$url"
        assert_success
        assert_stderr --partial 'the server sent another range than asked for'
        assert_body a 1 500K
        assert_tree . a
        rm a
    done
}

@test "a range in pieces is put together" {
    start_server
    local url="$MAIN/f/a?size=5M&seed=1&reset_at=2M&times=1"
    run_ajob get -r 0 --segments 1 "$url"
    sed -i "s/\"identity\": \"[^\"]*\"/\"identity\": \"url-sha256:$(printf %s "$MAIN/f/a?size=5M&seed=1&range_max=1M" | sha256sum | cut -c1-64)\"/" a.part.json
    run_ajob get --retry-delay 1ms -r 1 --segments 1 "$MAIN/f/a?size=5M&seed=1&range_max=1M"
    assert_success
    assert_body a 1 5M
    assert_requests 3 ' 206 ok$'
}

# Killed before the rename. Few servers say of which version a 416 is.
@test "all of it is here: its last byte is asked for, which says whether it is still the same" {
    start_server
    local url="$MAIN/f/a?$SIZE&reset_at=300K&times=1" ranges
    for ranges in '' ', "ranges": [[0, 512000]]'; do
        rm -f a
        run_ajob get -r 0 "$url&key=${#ranges}"
        body 1 500K >a.part
        if [[ $ranges ]]; then
            sed -i "s/\"part\": 1/\"part\": 2$ranges/" a.part.json
        fi
        run_ajob get -r 0 "$url&key=${#ranges}"
        assert_success
        assert_body a 1 500K
        assert_tree . a
    done
    assert_equal "$(requests . headers.range)" $'\nbytes=511999-\n\nbytes=511999-'
    # Another version by now.
    rm a
    run_ajob get -r 0 "$MAIN/f/a?$SIZE&reset_at=300K&times=1&key=new"
    body 1 500K >a.part
    local changed="$MAIN/f/a?size=500K&seed=2"
    sed -i "s/url-sha256:[0-9a-f]*/url-sha256:$(printf %s "$changed" | sha256sum | cut -d' ' -f1)/" a.part.json
    run_ajob get -r 0 "$changed"
    assert_success
    assert_body a 2 500K
    assert_tree . a
}

@test "416: all of it is here, or it has changed" {
    start_server
    local url="$MAIN/f/a?$SIZE&reset_at=300K&times=1"
    run_ajob get -r 0 "$url"
    body 1 500K >a.part
    sed -i 's/"size": .*/"more": 0/' a.part.json # it was not known
    run_ajob get "$url"
    assert_success
    assert_body a 1 500K
    assert_requests 1 ' 416 '
    assert_requests 2
    # Another total, or none: the note is made that of a URL which says so.
    for more in h416=other h416=bare; do
        rm a
        : >"$SERVER_STATE/requests.jsonl"
        run_ajob get -r 0 "$MAIN/f/a?$SIZE&reset_at=300K&times=1&key=$more"
        assert_tree . a.part a.part.json
        body 1 500K >a.part
        sed -i 's/"size": .*/"more": 0/' a.part.json
        url="$MAIN/f/a?$SIZE&$more&times=1"
        sed -i "s/url-sha256:[0-9a-f]*/url-sha256:$(printf %s "$url" | sha256sum | cut -d' ' -f1)/" a.part.json
        run_ajob get --retry-delay 1ms "$url"
        assert_success
        assert_body a 1 500K
        assert_tree . a
        assert_stderr --partial 'HTTP 416 (Range Not Satisfiable): the file has changed'
    done
}

@test "a part that is longer than the file is worth nothing" {
    start_server
    local url="$MAIN/f/a?$SIZE&reset_at=300K&times=1"
    run_ajob get -r 0 "$url"
    body 9 501K >a.part
    run_ajob get -r 0 "$url"
    assert_success
    assert_body a 1 500K
    assert_tree . a
    assert_requests 2 ' 200 '
}

@test "416 for as much as there is, but not as much as there was to be: over again" {
    start_server
    run_ajob get --retry-delay 1ms "$MAIN/f/a?size=300K&seed=1&times=1&length=400K"
    assert_success
    assert_body a 1 300K
    assert_stderr --partial 'HTTP 416 (Range Not Satisfiable): the file has changed'
}

@test "a part without a note, with a broken one, or of another URL, is worth nothing" {
    start_server
    local url="$MAIN/f/a?$SIZE"
    for note in '' '{' '[]' '{"part": 1}' '{"part": 2, "identity": "x"}' '{"part": 1, "identity": "url-sha256:00", "etag": "\"x\""}'; do
        body 9 300K >a.part
        if [[ -n $note ]]; then
            printf %s "$note" >a.part.json
        fi
        run_ajob get "$url"
        assert_success
        assert_body a 1 500K
        assert_tree . a
        rm a
    done
    assert_equal "$(requests . headers.range | sort -u)" ""
}

@test "a part from before the kill -9 is good" {
    start_server
    local url="$MAIN/f/a?size=2M&seed=1&latch=go&latch_at=1M&times=1"
    start_ajob get "$url"
    wait_for_request ' held$'
    part_is_there() { [[ -e a.part && $(stat -c %s a.part) -gt 700000 ]]; } # the last bytes may be on their way
    wait_until 60 part_is_there
    kill -KILL "$AJOB_PID"
    expect_status 137
    wait_ajob
    assert_tree . a.part a.part.json
    local size
    size=$(stat -c %s a.part)
    cmp a.part <(body 1 2M | head -c "$size")
    run_ajob get "$url"
    assert_success
    assert_body a 1 2M
    assert_equal "$(requests ' 206 ' headers.range)" "bytes=$size-"
}

@test "the note is there while it is worth it, and after a failure always" {
    start_server
    expect_part
    # has_come FILE SIZE: the last bytes may be on their way
    has_come() { [[ -e $1.part && $(stat -c %s "$1.part") -gt $2 ]]; }
    start_ajob get --segments 1 -r 0 "$MAIN/f/much?size=3M&latch=go&latch_at=1M" "$MAIN/f/endless?size=3M&chunked=1&latch=go&latch_at=1M" \
        "$MAIN/f/begun?size=3M&latch=go&latch_at=500K" "$MAIN/f/nearly?size=1000K&latch=go&latch_at=900K"
    wait_for_request ' held$' 4
    wait_until 60 has_come much 700000
    wait_until 60 has_come endless 700000
    wait_until 60 has_come begun 300000
    wait_until 60 has_come nearly 600000
    wait_until 60 test -s much.part.json
    wait_until 60 test -s endless.part.json
    assert_tree . {much,endless,begun,nearly}.part {much,endless}.part.json
    expect_status 130
    kill -INT "$AJOB_PID"
    wait_ajob
    assert_failure 130
    assert_tree . {much,endless,begun,nearly}.part{,.json}
    open_latch go
}

@test "an asset is resumed whatever its signed URL, and the token with it" {
    start_server '{"token": "secret", "sign_once": true, "repos": {"o/r": {"private": true, "releases": [{"tag": "v1", "assets": [
        {"name": "a", "size": "1M", "seed": 1, "query": "reset_at=600K&times=1"}]}]}}}'
    export GH_TOKEN=secret
    run_ajob download -r 0 o/r
    assert_failure 1
    assert_tree . v1/a.part v1/a.part.json
    run_ajob download o/r
    assert_success
    assert_body v1/a 1 1M
    assert_equal "$(requests '^storage.* 206 ok' headers.range)" bytes=614400-
    assert_requests 2 '/releases/assets/.* 302 '
    assert_stderr --regexp 'sha256 ok  resumed at 600.0 KiB'
}

@test "an asset that was replaced is not resumed" {
    local repo='{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": "1M", "seed": SEED, "id": ID, "query": "reset_at=600K&times=1&etag=none"}]}]}}}'
    local first=${repo/SEED/1}
    start_server "${first/ID/50}"
    run_ajob download -r 0 o/r
    assert_tree . v1/a.part v1/a.part.json
    local second=${repo/SEED/2}
    set_fixture "${second/ID/51}"
    run_ajob download -r 0 o/r
    assert_failure 1 # broken off again, over from the beginning
    assert_equal "$(requests '^storage' headers.range | sort -u)" ""
    run_ajob download -r 0 o/r
    assert_success
    assert_body v1/a 2 1M
    assert_requests 1 ' 206 ok$'
}

@test "a damaged part of an asset is found by its digest, and mended" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [
        {"name": "a", "size": "1M", "seed": 1, "query": "reset_at=600K&times=1"}]}]}}}'
    run_ajob download -r 0 o/r
    printf X | dd of=v1/a.part bs=1 seek=70000 conv=notrunc status=none
    run_ajob download -r 0 o/r
    assert_failure 1
    assert_stderr --partial 'v1/a: sha256 mismatch'
    assert_tree . v1/
    run_ajob download o/r
    assert_success
    assert_body v1/a 1 1M
}

# broken_off URL [ARG...]: what a download that broke off leaves
broken_off() {
    run_ajob get -r 0 "$@"
    assert_failure 1
    assert_tree . a.part a.part.json
}

@test "a note that somebody else planted is worth nothing, and harms nothing" {
    start_server
    local url="$MAIN/f/a?size=2M&seed=1" identity note
    identity="\"identity\": \"url-sha256:$(printf %s "$url" | sha256sum | cut -c1-64)\", \"etag\": \"\\\"x\\\"\""
    echo precious >precious
    local number='[0, 1]'
    for ((i = 1; i < 5000; i++)); do
        number+=", [$((2 * i)), $((2 * i + 1))]"
    done
    for note in '"ranges": [[0, 200000], [100000, 300000]]' '"ranges": [[200000, 300000], [0, 100]]' \
        '"ranges": [[-1, 300000]]' '"ranges": [[0, 1e300]]' '"ranges": [[0, 1e999]]' '"ranges": 1' \
        "\"ranges\": [$number]" "\"ranges\": [[0, 300000]], \"url\": \"$(head -c 300000 /dev/zero | tr '\0' x)\""; do
        body 9 300K >a.part
        printf '{"part": 2, %s, %s}\n' "$identity" "$note" >a.part.json
        run_ajob get "$url"
        assert_success
        assert_body a 1 2M
        assert_tree . a precious
        rm a
    done
    local make
    for make in 'ln -s precious' 'ln -s /dev/zero' mkfifo; do
        body 9 300K >a.part
        $make a.part.json
        run_ajob get "$url"
        assert_success
        assert_body a 1 2M
        assert_tree . a precious
        rm a
    done
    assert_equal "$(<precious)" precious
    assert_equal "$(requests . headers.range | sort -u)" "" # nobody believed any of it
    # What cannot be taken away is said.
    body 9 300K >a.part
    mkdir a.part.json
    run_ajob get "$url"
    assert_failure 1
    assert_stderr --partial 'a.part.json: '
    refute_exists a
    rmdir a.part.json
    expect_part
}

@test "a note cannot say that more is there than the file has" {
    start_server
    local url="$MAIN/f/a?size=2M&seed=1&reset_at=1M&times=1"
    broken_off "$url"
    sed -i 's/"part": 1/"part": 2, "ranges": [[0, 2000000]]/' a.part.json
    run_ajob get "$url"
    assert_success
    assert_body a 1 2M
    assert_tree . a
    assert_equal "$(requests ' 206 ' headers.range)" bytes=1048576-
}

@test "after a power cut the last bytes are not believed, but where a digest judges them" {
    start_server
    local url="$MAIN/f/a?size=2M&seed=1&reset_at=1M"
    power_cut() { sed -i 's/"boot": "[^"]*"/"boot": "before"/' a.part.json; }
    broken_off "$url&times=1"
    grep -q "\"boot\": \"$(</proc/sys/kernel/random/boot_id)\"" a.part.json
    power_cut
    # As it may be found: as long as it was, but not what was written.
    printf '%1000s' '' | dd of=a.part bs=1 seek=1000000 conv=notrunc status=none
    run_ajob get "$url&times=1"
    assert_success
    assert_body a 1 2M
    assert_equal "$(requests . headers.range | sort -u)" "" # all of it is within the last 64 MiB
    rm a
    local sum
    sum=$(body_sha256 1 2M)
    broken_off --sha256 "$sum" "$url&times=1&key=good"
    power_cut
    run_ajob get --sha256 "$sum" "$url&times=1&key=good"
    assert_success
    assert_stderr --partial 'resumed at 1.0 MiB'
    assert_requests 1 ' 206 ok$'
    rm a
    broken_off --sha256 "$sum" "$url&times=1&key=bad"
    power_cut
    printf '%1000s' '' | dd of=a.part bs=1 seek=1000000 conv=notrunc status=none
    run_ajob get --retry-delay 1ms --sha256 "$sum" "$url&times=1&key=bad"
    assert_success
    assert_stderr --partial 'sha256 mismatch'
    assert_body a 1 2M
    assert_tree . a
}

@test "with a digest another URL goes on where the first stopped, without its validators" {
    start_server
    local sum
    sum=$(body_sha256 1 2M)
    broken_off --sha256 "$sum" "$MAIN/f/a?size=2M&seed=1&reset_at=1M"
    run_ajob get --sha256 "$sum" "$STORAGE/f/a?size=2M&seed=1&etag=another"
    assert_success
    assert_body a 1 2M
    assert_equal "$(requests '^storage' headers.range headers.if-range)" "bytes=1048576-	"
}
