# The equipment itself: what the fault server and the helpers promise to all other
# tests. curl is the client here.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

REPO='"o/r": {"releases": [
    {"tag": "v3-rc", "prerelease": true, "assets": []},
    {"tag": "v2", "assets": [{"name": "a.bin", "size": "200K", "seed": 3},
                             {"name": "SHA256SUMS", "content": "${sha256:a.bin}  a.bin\n"},
                             {"name": "late.bin", "state": "starter", "digest": null}]},
    {"tag": "pkg/v1#b+c", "assets": [{"name": "old.bin", "size": 10, "digest": "bad"}]},
    {"tag": "v0", "draft": true}]}'

# fetch ARG...: body in ./body, status in $code, headers in ./head; curl's exit in $status
fetch() {
    code=$(curl -sS --noproxy '*' -D head -o body -w '%{http_code}' "$@" 2>curl.err) && status=0 || status=$?
    tr -d '\r' <head >head.lf && mv head.lf head
}

api() { fetch -H 'Accept: application/vnd.github+json' "${@:2}" "$MAIN$1"; }

header() { sed -n "s/^$1: //Ip" head; }

# json EXPR: of the document `d` in ./body
json() { "$PYTHON" -c 'import json, sys; d = json.load(open("body")); print(eval(sys.argv[1]))' "$1"; }

part_of_body() { # SEED SIZE FIRST COUNT
    body "$1" "$2" | tail -c "+$(($3 + 1))" | head -c "$4"
}

@test "a body depends on seed and offset only" {
    body 1 200K >long
    body 1 100K | cmp - <(head -c 102400 long)
    run ! cmp -s <(body 2 100K) <(body 1 100K)
    run ! cmp -s <(head -c 65536 long) <(tail -c +65537 long | head -c 65536)
    assert_equal "$(body_sha256 1 200K)  -" "$(sha256sum <long)"
    assert_equal "$(wc -c <long)" 204800
}

@test "a file comes whole, with strong validators, on one connection" {
    start_server
    fetch "$MAIN/f/a?size=1M&seed=7" --next -sS -o again --noproxy '*' "$MAIN/f/b?size=10&seed=8"
    assert_body body 7 1M
    assert_body again 8 10
    assert_requests 2 '/f/.* 200 ok$'
    assert_equal "$(requests /f/ connection | sort -u | wc -l)" 1
    assert_equal "$(requests /f/ sent)" $'1048576\n10'
    fetch -I "$MAIN/f/a?size=1M&seed=7"
    assert_equal "$(header Content-Length) $(header Accept-Ranges)" "1048576 bytes"
    fetch -H "If-None-Match: $(header ETag)" "$MAIN/f/a?size=1M&seed=7"
    assert_equal "$code" 304
}

@test "ranges: inside, open, suffix, beyond" {
    start_server
    local url="$MAIN/f/a?size=200K&seed=1"
    fetch -r 65530-65549 "$url"
    assert_equal "$code $(header Content-Range)" "206 bytes 65530-65549/204800"
    cmp body <(part_of_body 1 200K 65530 20)
    fetch -r 204790- "$url"
    assert_equal "$(header Content-Range)" "bytes 204790-204799/204800"
    fetch -r -5 "$url"
    cmp body <(part_of_body 1 200K 204795 5)
    fetch -r 204800- "$url"
    assert_equal "$code $(header Content-Range)" "416 bytes */204800"
    fetch -r 5- "$url&h416=other"
    assert_equal "$code $(header Content-Range)" "416 bytes */204801"
    fetch -r 0-9 "$url&ranges=none"
    assert_equal "$code" 200
    fetch "$url&ranges=none&status=500&times=1"
    fetch -r 0-9 "$url&ranges=none&status=500&times=1"
    assert_equal "$code" 200 # the fault is over, the server is the same
    fetch -r 100-199 "$url&wrong_start=-10&wrong_total=99"
    assert_equal "$(header Content-Range)" "bytes 90-199/99"
    cmp body <(part_of_body 1 200K 90 110)
    fetch -r 0-9 "$url&multipart206=1"
    assert_equal "$(header Content-Type)" "multipart/byteranges; boundary=next-part"
}

@test "If-Range holds for a strong tag and the exact date only" {
    start_server
    local url="$MAIN/f/a?size=100&seed=1" tag
    fetch -I "$url"
    tag=$(header ETag)
    fetch -r 5- -H "If-Range: $tag" "$url"
    assert_equal "$code" 206
    fetch -r 5- -H "If-Range: $(header Last-Modified)" "$url"
    assert_equal "$code" 206
    fetch -r 5- -H 'If-Range: "other"' "$url"
    assert_equal "$code" 200
    fetch -r 5- -H "If-Range: W/$tag" "$url&etag=weak"
    assert_equal "$code $(header ETag)" "200 W/$tag"
    fetch -r 5- -H 'If-Range: "other"' "$url&if_range=ignore"
    assert_equal "$code" 206
    fetch "$url&etag=change"
    assert_body body 1 100
    fetch -r 5- -H "If-Range: $tag" "$url&etag=change"
    assert_equal "$code" 200
    assert_body body 2 100
}

@test "reset and close come after exactly so many bytes, so many times" {
    start_server
    local url="$MAIN/f/a?size=300K&seed=1&reset_at=100K&times=1"
    fetch "$url"
    assert_failure 56
    cmp body <(part_of_body 1 300K 0 102400)
    fetch "$url"
    assert_success
    assert_body body 1 300K
    fetch "$MAIN/f/a?size=300K&seed=1&close_at=100K"
    assert_failure 18
    fetch "$MAIN/f/a?size=300K&seed=1&close_at=100K&chunked=1"
    assert_failure 18
    fetch "$MAIN/f/a?size=300K&seed=1&chunked=1"
    assert_body body 1 300K
    fetch "$MAIN/f/a?empty=1"
    assert_failure 52
    fetch "$MAIN/f/a?empty=reset"
    assert_failure 56
    fetch "$MAIN/f/a?garbage=1"
    assert_failure
    assert_equal "$(requests . outcome | tr '\n' ' ')" "reset ok closed closed ok closed reset closed "
    assert_equal "$(requests . sent | head -n 3 | tr '\n' ' ')" "102400 307200 102400 "
}

@test "lengths may be missing, or lie" {
    start_server
    fetch --http1.0 "$MAIN/f/a?size=100&length=none"
    assert_success
    assert_equal "$(header Content-Length)$(wc -c <body)" 100
    fetch "$MAIN/f/a?size=100&length=200"
    assert_failure 18
    fetch "$MAIN/f/a?size=100&length=50"
    assert_equal "$(wc -c <body)" 50
    fetch "$MAIN/f/a?size=100&seed=1&gzip=1"
    assert_equal "$(header Content-Encoding)" gzip
    gzip -dc <body >plain && assert_body plain 1 100
}

@test "other answers: status, retry-after, html, redirects, early hints" {
    start_server
    fetch "$MAIN/f/a?status=503&body=go%20away&retry_after=2"
    assert_equal "$code $(header Retry-After) $(<body)" "503 2 go away"
    fetch "$MAIN/f/a?status=429&retry_after=date:%2B2"
    [[ $(header Retry-After) == *GMT ]]
    fetch "$MAIN/f/a?html=1"
    assert_equal "$code $(header Content-Type)" "200 text/html; charset=utf-8"
    fetch -L "$MAIN/f/a?redirect=storage&size=5"
    assert_requests 1 '^storage GET /f/a.size=5 200'
    fetch -L "$MAIN/f/a?redirect=3&size=5"
    assert_requests 3 'redirect=[1-3]&size=5 302'
    fetch -L --max-redirs 3 "$MAIN/f/a?redirect=loop"
    assert_failure 47
    fetch "$MAIN/f/a?early=1&size=5&disposition=..%2Fevil&header=X-A:b"
    assert_equal "$(head -n 1 head)" "HTTP/1.1 103 Early Hints"
    assert_equal "$(header Content-Disposition) $(header X-A)" 'attachment; filename="../evil" b'
}

@test "a latch holds headers or the body back, and the log tells" {
    start_server
    curl -sS "$MAIN/f/a?size=100K&latch=go&latch_at=64K" -o body 3>&- &
    wait_for_request '/f/a.* held$'
    assert_equal "$(requests /f/a state)" held
    curl -sS "$MAIN/f/b?size=5&latch=go" -o second 3>&- &
    wait_for_request 'held$' 2
    open_latch go
    wait
    assert_body body 0 100K
    assert_equal "$(max_inflight) $(requests_where 'inflight == 1' path)" "2 /f/a"
    fetch "$MAIN/f/c?size=5&latch=go"
    assert_success
}

@test "a client that leaves a stalled answer is noticed" {
    start_server
    fetch --max-time 0.3 "$MAIN/f/a?size=100K&stall_at=10K"
    assert_failure 28
    assert_equal "$(wc -c <body)" 10240
    wait_for_request 'stalled$'
}

@test "slow means bytes per second" {
    start_server
    fetch -w '%{http_code} %{time_total}' "$MAIN/f/a?size=60K&slow=100K"
    awk -v t="${code#* }" 'BEGIN { exit !(t > 0.5 && t < 3) }'
}

@test "TLS with a CA of its own, and down to HTTP" {
    start_server --tls
    fetch --cacert "$CA" "$TLS/f/a?size=100K&seed=4"
    assert_body body 4 100K
    fetch --cacert "$CA" "$TLS/f/a?size=100K&reset_at=50K"
    assert_failure 56
    fetch "$TLS/f/a"
    assert_failure 60
    fetch --cacert "$CA" "$TLS/f/a?redirect=tls2http"
    assert_equal "$(header Location)" "$MAIN/f/a"
    fetch --cacert "$CA" "$TLS/f/a?redirect=storage"
    assert_equal "$(header Location)" "$STORAGE_TLS/f/a"
}

@test "what a Range gets to see may be another version than what others see" {
    start_server
    local url="$MAIN/f/a?size=1000&seed=1"
    fetch -r 500- "$url&range_seed=2&range_etag=none&range_lm=none"
    assert_equal "$code $(header ETag)$(header Last-Modified)" "206 "
    cmp body <(part_of_body 2 1000 500 500)
    fetch "$url&range_seed=2&range_etag=none"
    assert_body body 1 1000
    assert_equal "$(header ETag | cut -c1)" '"'
    fetch -r 500- "$url&range_etag=weak"
    assert_equal "$(header ETag | cut -c1-3)" 'W/"'
    fetch -r 500- -H 'If-Range: "new"' "$url&range_etag=%22new%22&range_lm=Thu"
    assert_equal "$code $(header ETag) $(header Last-Modified)" '206 "new" Thu'
    fetch "$url&change_at=300"
    cmp body <(part_of_body 1 1000 0 300 && part_of_body 2 1000 300 700)
}

@test "faults only for requests with a Range, or only for those without" {
    start_server
    local url="$MAIN/f/a?size=1000&seed=1&status=503&times=1"
    fetch "$url&only=range"
    assert_body body 1 1000
    fetch -r 5- "$url&only=range"
    assert_equal "$code" 503
    fetch -r 5- "$url&only=range"
    assert_equal "$code" 206
    fetch -r 5- "$url&only=whole"
    assert_equal "$code" 206
    fetch "$url&only=whole"
    assert_equal "$code" 503
}

@test "a beginning that breaks off, before the faults" {
    start_server
    local url="$MAIN/f/a?size=1000&seed=1&begin=300&status=503&times=1&etag=change"
    fetch "$url"
    assert_failure 56
    cmp body <(part_of_body 1 1000 0 300)
    fetch -r 300- "$url"
    assert_equal "$code" 503
    fetch -r 300- "$url"
    cmp body <(part_of_body 2 1000 300 700)
    assert_equal "$(requests . status outcome | tr '\t\n' ' ,')" '200 reset,503 ok,206 ok,'
}

@test "more ways to answer a Range wrongly" {
    start_server
    local url="$MAIN/f/a?size=1000&seed=1"
    fetch -r 500- "$url&range_unit=items"
    assert_equal "$(header Content-Range)" 'items 500-999/1000'
    fetch -r 500- "$url&content_range=bytes%20x"
    assert_equal "$(header Content-Range)" 'bytes x'
    fetch "$url&unasked206=300"
    assert_equal "$code $(header Content-Range)" '206 bytes 300-999/1000'
    cmp body <(part_of_body 1 1000 300 700)
    fetch -r 500- "$url&rest200=1"
    assert_equal "$code $(header Content-Length)$(header Content-Range)" '200 500'
    cmp body <(part_of_body 1 1000 500 500)
    fetch -r 500- "$url&more=7"
    assert_equal "$(header Content-Length) $(header Content-Range) $(wc -c <body)" '507 bytes 500-999/1000 507'
}

@test "heads that trickle, end early or come in crowds; HTTP/1.0; trailers" {
    start_server
    fetch --max-time 0.5 "$MAIN/f/a?size=5&slow_head=50"
    assert_failure 28
    fetch "$MAIN/f/a?size=5&slow_head=100K"
    assert_equal "$(wc -c <body)" 5
    fetch "$MAIN/f/a?size=5&cut_head=30" # libcurl is content with the first of its lines
    assert_equal "$(<head)$(cat body)$(requests cut_head outcome)" 'HTTP/1.1 200 OKclosed'
    fetch "$MAIN/f/a?size=5&early=20"
    assert_equal "$(grep -c '^HTTP/1.1 103' head) $(wc -c <body)" '20 5'
    fetch "$MAIN/f/a?size=5&http10=1&length=none"
    assert_equal "$(head -n 1 head) $(header Content-Length)$(wc -c <body)" 'HTTP/1.0 200 OK 5'
    fetch --raw "$MAIN/f/a?size=5&chunked=1&trailer=X-Sum:1&trailer=X-End:2"
    assert_equal "$(tail -n 4 body | tr '\r\n' ' ,')" '0 ,X-Sum:1 ,X-End:2 , ,'
    fetch "$MAIN/f/a?size=5&length=-5"
    assert_failure 8 # not a length
    fetch "$MAIN/f/a?size=5&length=99999999999999999999"
    assert_equal "$(header Content-Length)" 99999999999999999999
}

@test "a connection that ends between two requests" {
    start_server
    local how
    for how in 1 next; do
        : >"$SERVER_STATE/requests.jsonl"
        fetch "$MAIN/f/a?size=5&hang_up=$how&times=1" --next -sS -o again --noproxy '*' "$MAIN/f/b?size=6"
        assert_success
        assert_equal "$(header Connection)" ''
        assert_equal "$(wc -c <again) $(requests /f/ connection | sort -u | wc -l)" '6 2'
    done
    grep -q 'hung up on /f/b' "$SERVER_STATE/requests.jsonl"
}

@test "no more than so many at once of one key" {
    start_server
    local url="$MAIN/f/a?size=100K&most=1&latch=go&latch_at=50K"
    curl -sS --noproxy '*' "$url" -o first 3>&- &
    wait_for_request ' held$'
    fetch "$url"
    assert_equal "$code $(<body)" '503 too many at once'
    fetch "$MAIN/f/a?size=5&most=1&most_with=reset" # another key
    assert_equal "$code" 200
    open_latch go
    wait
    fetch "$url"
    assert_equal "$code" 200
    curl -sS --noproxy '*' "$MAIN/f/b?most=1&key=b&latch=b" -o first 3>&- &
    wait_for_request '/f/b.* held$'
    fetch "$MAIN/f/c?size=1&most=1&key=b&most_with=429"
    assert_equal "$code" 429
    fetch "$MAIN/f/c?size=1&most=1&key=b&most_with=reset"
    assert_failure 56
    open_latch b
    wait
}

@test "rtt is before each answer, and before a connection's first twice" {
    start_server
    fetch -w '%{time_total} ' "$MAIN/f/a?size=5&rtt=0.1" --next -sS -o again --noproxy '*' -w '%{time_total}' "$MAIN/f/b?size=5&rtt=0.1"
    awk -v t="$code" 'BEGIN { split(t, at, " "); exit !(at[1] >= 0.2 && at[2] >= 0.1 && at[2] < at[1]) }'
}

@test "a signed redirect is good for so many requests" {
    start_server
    local url="$MAIN/f/a?size=1000&seed=1&redirect=storage&signed=1&reset_at=500&times=1" signed
    fetch "$url"
    signed=$(header Location)
    [[ $signed == "$STORAGE/f/a?"*signature=* ]]
    fetch "$signed"
    assert_failure 56
    fetch "$signed"
    assert_equal "$code $(<body)" '403 AccessDenied: Request has expired'
    fetch -L "$url" # signed anew, and the fault is over
    assert_body body 1 1000
    fetch "$STORAGE/f/a?size=5&signature=forged"
    assert_equal "$code" 403
    fetch "$MAIN/f/b?redirect=loop&redirect_body=1M"
    assert_equal "$code $(wc -c <body)" '302 1048576'
}

@test "TLS that ends with or without a goodbye" {
    start_server --tls
    # goodbye PARAMETERS: how the connection ends (libcurl makes no difference)
    goodbye() {
        "$PYTHON" -c 'import os, socket, ssl, sys
context = ssl.create_default_context(cafile=os.environ["CA"])
context.options &= ~(1 << 7)  # OP_IGNORE_UNEXPECTED_EOF, which some versions set unasked
address = "127.0.0.1", int(os.environ["TLS"].rpartition(":")[2])
with context.wrap_socket(socket.create_connection(address), server_hostname="localhost",
                         suppress_ragged_eofs=False) as client:
    client.sendall(f"GET /f/a?{sys.argv[1]} HTTP/1.1\r\n\r\n".encode())
    try:
        while client.recv(65536):
            pass
        print("said")
    except ssl.SSLError as error:  # in newer versions SSLEOFError
        print("ragged" if "EOF" in str(error) else error)' "$1"
    }
    assert_equal "$(goodbye 'size=10&length=none')" ragged
    assert_equal "$(goodbye 'size=10&length=none&notify=1')" said
    assert_equal "$(goodbye 'size=10&length=none&close_at=5')" ragged
    assert_equal "$(goodbye 'size=10&length=none&close_at=5&notify=1')" said
    assert_equal "$(requests . sent outcome | tr '\t\n' ' ,')" '10 ok,10 ok,5 closed,5 closed,'
}

@test "GitHub: latest, tag, asset, storage" {
    start_server "{\"repos\": {$REPO}}"
    api /repos/o/r/releases/latest
    assert_equal "$(json 'd["tag_name"], len(d["assets"])')" "('v2', 3)"
    assert_equal "$(json 'd["assets"][0]["digest"]')" "sha256:$(body_sha256 3 200K)"
    assert_equal "$(header x-ratelimit-limit) $(header content-type)" "60 application/json; charset=utf-8"
    local asset web
    asset=$(json 'd["assets"][0]["url"]')
    web=$(json 'd["assets"][0]["browser_download_url"]')
    api "/repos/o/r/releases/latest" -H "If-None-Match: $(header etag)"
    assert_equal "$code" 304
    fetch "$asset"
    assert_equal "$(json 'd["name"]')$(header accept-ranges)" a.bin
    fetch -L -H 'Accept: application/octet-stream' "$asset"
    assert_body body 3 200K
    fetch -L "$web"
    assert_body body 3 200K
    assert_requests 2 '^storage GET .*filename%3Da.bin 200 ok$'
    fetch -L --location-trusted -H 'Accept: application/octet-stream' -H 'Authorization: Bearer x' "$asset"
    assert_equal "$code" 400
    fetch -L "$MAIN/o/r/releases/download/v2/SHA256SUMS"
    assert_equal "$(<body)" "$(body_sha256 3 200K)  a.bin"
    fetch -H 'Accept: application/octet-stream' "$(sed 's/0$/2/' <<<"$asset")"
    assert_equal "$code" 404
    api "/api/v3/repos/o/r/releases/tags/pkg%2Fv1%23b%2Bc"
    assert_equal "$(json 'd["tag_name"]')" "pkg/v1#b+c"
    [[ $(json 'd["assets_url"]') == "$MAIN/api/v3/"* ]]
    api /repos/o/r/releases/tags/v0
    assert_equal "$code $(json 'd["message"]')" "404 Not Found"
}

@test "GitHub: pages of releases and of assets, by Link" {
    start_server "$("$PYTHON" -c 'import json; print(json.dumps({"embed_limit": 30, "repos": {"o/r": {"releases": [
        {"tag": f"v{n}", "assets": [{"name": f"{k}.bin"} for k in range(130 * (n == 0))]}
        for n in range(230)]}}}))')"
    api "/repos/o/r/releases?per_page=100"
    assert_equal "$(json 'len(d), len(d[0]["assets"])')" "(100, 30)"
    assert_equal "$(header link)" "<$MAIN/repositories/1001/releases?per_page=100&page=2>; rel=\"next\", <$MAIN/repositories/1001/releases?per_page=100&page=3>; rel=\"last\""
    local assets_url
    assets_url=$(json 'd[0]["assets_url"]')
    api "/repositories/1001/releases?per_page=100&page=3"
    assert_equal "$(json 'len(d)')" 30
    [[ $(header link) != *next* ]]
    fetch "$assets_url"
    assert_equal "$(json 'len(d)')" 30
    fetch "$assets_url?per_page=100&page=2"
    assert_equal "$(json 'd[-1]["name"]')" 129.bin
}

@test "GitHub: tokens, renames, agents" {
    start_server '{"token": "secret", "repos": {"new/name": {"private": true, "releases": [{"tag": "v1"}]},
                   "old/name": {"renamed_to": "new/name"}}}'
    api /repos/new/name/releases
    assert_equal "$code" 404
    api /repos/new/name/releases -H 'Authorization: Bearer secret'
    assert_equal "$code $(header x-ratelimit-limit)" "200 5000"
    api /repos/new/name/releases -H 'Authorization: Bearer wrong'
    assert_equal "$code $(json 'd["message"]')" "401 Bad credentials"
    api /repos/old/name/releases -H 'Authorization: Bearer secret'
    assert_equal "$code $(header location)" "301 $MAIN/repositories/1001/releases"
    api /repos/new/name/releases -H 'User-Agent:'
    assert_equal "$code" 403
    api /repos/new/name/releases -H 'X-GitHub-Api-Version: 1999-01-01'
    assert_equal "$code" 400
}

@test "GitHub: rate limits, errors, raw answers, changed fixtures" {
    start_server "{\"rate_limit\": {\"remaining\": 1, \"times\": 1, \"retry_after\": 1},
        \"errors\": {\"releases/tags/v2\": {\"status\": 502, \"body\": \"<html>\", \"type\": \"text/html\", \"times\": 1}},
        \"raw\": {\"releases/tags/v7\": \"{\\\"id\\\": \"}, \"repos\": {$REPO}}"
    api /repos/o/r/releases/tags/v2
    assert_equal "$code $(header content-type) $(<body) $(header x-ratelimit-remaining)" "502 text/html <html> 0"
    api /repos/o/r/releases/tags/v2
    assert_equal "$code $(header retry-after) $(json 'd["status"]')" "403 1 403"
    api /repos/o/r/releases/tags/v2
    assert_equal "$code" 200
    api /repos/o/r/releases/tags/v7
    assert_equal "$code $(<body)" '200 {"id": '
    set_fixture '{"errors": {"*": {"reset_at": 5}}, "repos": {"o/r": {}}}'
    api /repos/o/r/releases
    assert_equal "$status" 0 # an empty list, of two bytes
    api /repos/o/r/releases/latest
    assert_equal "$status $(wc -c <body)" "56 5"
}

@test "GitHub: a signature is good for one request, or for a while" {
    start_server "{\"sign_once\": true, \"repos\": {$REPO}}"
    fetch "$MAIN/o/r/releases/download/v2/a.bin"
    local signed
    signed=$(header Location)
    fetch "$signed"
    assert_equal "$code" 200
    fetch "$signed"
    assert_equal "$code" 403
    set_fixture "{\"sign_uses\": 2, \"repos\": {$REPO}}"
    fetch "$MAIN/o/r/releases/download/v2/a.bin"
    signed=$(header Location)
    fetch "$signed" --next -sS -o again --noproxy '*' "$signed" --next -sS -o third --noproxy '*' -w '%{http_code}' "$signed"
    assert_equal "$code" 200403
    set_fixture "{\"sign_ttl\": 0, \"repos\": {$REPO}}"
    fetch -L "$MAIN/o/r/releases/download/v2/a.bin"
    assert_equal "$code" 403
}

@test "the server ends with its stdin" {
    "$PYTHON" "$TESTS_DIR/server/faultserver.py" --state "$SERVER_STATE" </dev/null >ports
    grep -q '"main"' ports
    cmp ports "$SERVER_STATE/ports.json"
    start_server
    local server=$SERVER_RUNNING
    stop_server
    process_over "$server"
}

@test "ajob's processes are found, whatever their environment" {
    env -i bash -c 'read -r _ <>"$1"' _ "$BATS_TEST_TMPDIR/never" 3>&- &
    local hidden=$!
    (cd / && exec bash -c 'read -r _ <>"$1"' _ "$BATS_TEST_TMPDIR/never") 3>&- &
    local away=$!
    both_found() { [[ $(test_processes) == "$(printf '%s\n' "$hidden" "$away" | sort -n)" ]]; }
    wait_until 60 both_found
    kill "$hidden" "$away"
    wait_until 60 no_test_processes
    AJOB=$(type -P bash)
    run_ajob -c 'echo out; echo err >&2; exit 3'
    assert_failure 3
    assert_output out
    assert_stderr err
    start_ajob -c 'kill -INT $$; echo survived'
    expect_status 130
    wait_ajob
    assert_failure 130
    run ! run_ajob -c 'kill -SEGV $$'
    run ! run_ajob -c 'echo "x.c:1: runtime error: y" >&2'
}
