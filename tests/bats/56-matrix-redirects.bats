# The matrix of redirects and secrets: where a server may lead, and what goes along.

load ../helpers

setup() { common_setup; }
teardown() {
    if [[ -n ${SECRET-} ]]; then
        none_left "the secret on disk" grep -rlF "$SECRET" "$WORK" "$AJOB_OUT" "$AJOB_ERR" "$TMPDIR" "$HOME"
    fi
    common_teardown
}

SECRET=t0kEn-1234567890

@test "redirects to what is no http, to nowhere and to nonsense are refused, at once" {
    start_server
    local target urls=()
    for target in file:///etc/passwd FILE:/etc/passwd ftp://127.0.0.1/x data:text/plain,hello 'javascript:alert(1)' gopher://127.0.0.1/ \
        smb://127.0.0.1/x scp://127.0.0.1/etc/passwd dict://127.0.0.1:1/ ldap://127.0.0.1/ tftp://127.0.0.1/x mailto:a@b about:blank '' \
        http://127.0.0.1:99999/x 'http://\[::1/x' http://127.0.0.1:x/ /f/%01%1b%5b31mred %0b 'http://127.0.0.1:1/a%20b'; do
        urls+=("$MAIN/f/f$((${#urls[@]} + 101))?size=5&redirect=$target")
    done
    run_ajob get "${urls[@]}"
    assert_failure 1
    assert_tree .
    assert_requests ${#urls[@]} # none is tried again
    assert_equal "$(grep -c '^ajob: get: .*: redirected to what is no http or https URL$' <<<"$stderr")" ${#urls[@]}
    assert_equal "$(grep -c $'\x1b\|\x01' "$AJOB_ERR")" 0
}

@test "a line end in a redirect adds no header to the next request" {
    start_server
    run_ajob get "$MAIN/f/a?redirect=/f/b%0d%0aX-Evil:1?size=5" "$MAIN/f/c?redirect=/f/d%0aX-Evil:1" "$MAIN/f/e?redirect=/f/g%0dX-Evil:1"
    assert_equal "$(requests_where '"x-evil" in headers')" ''
    assert_equal "$(requests_where '"vil" in target and "redirect" not in target')" ''
    rm -f a c e
}

@test "redirects keep the range and are GET, whatever their number" {
    start_server
    local status urls=()
    for status in 301 302 303 307 308; do
        urls+=("$MAIN/f/$status?size=300K&seed=1&redirect=storage&redirect_status=$status&signed=1&reset_at=200K&times=1")
    done
    run_ajob get --retry-delay 1ms "${urls[@]}"
    assert_success
    assert_tree . 301 302 303 307 308
    assert_equal "$(sha256sum 30* | cut -d ' ' -f 1 | sort -u)" "$(body_sha256 1 300K)"
    assert_requests 5 '^storage GET .* 206 ok'
    assert_requests 20 ' GET '
    assert_requests 20
    assert_equal "$(requests_where '"referer" in headers')" ''
    run_ajob get -r 0 "$MAIN/f/a?redirect=1&redirect_status=300" "$MAIN/f/b?redirect=1&redirect_status=304" \
        "$MAIN/f/c?redirect=1&redirect_status=305" "$MAIN/f/d?redirect=1&redirect_status=306" "$MAIN/f/e?status=201&header=Location:/f/x"
    assert_failure 1
    assert_stderr --partial '5 failed'
    assert_requests 25
}

@test "the body of a redirect is not read to its end" {
    start_server
    run_ajob get "$MAIN/f/a?redirect=loop&redirect_body=1G"
    assert_failure 1
    assert_tree .
    assert_equal "$(requests . sent | awk '{ sum += $1 } END { print sum < 100e6 }')" 1
}

@test "what is secret stays with the origin: host, port and scheme" {
    start_server --tls
    local other=${MAIN/127.0.0.1/localhost} target
    for target in "$STORAGE" "$other" "$TLS" "${MAIN/127.0.0.1/LOCALHOST}" "${MAIN/127.0.0.1/127.0.0.2}"; do
        : >"$SERVER_STATE/requests.jsonl"
        run_ajob get --cacert "$CA" -r 0 -o a -H "X-Api-Key: $SECRET" -H "PRIVATE-TOKEN: $SECRET" -H "Authorization: Bearer $SECRET" \
            -H "Cookie: id=$SECRET" -H "X-Auth-Token: $SECRET" "$MAIN/f/a?redirect=$target/f/b?size=5"
        rm -f a
        assert_equal "$target $(requests_where 'set(headers) & {"x-api-key", "private-token", "authorization", "cookie", "x-auth-token"}' path)" \
            "$target /f/a"
    done
    # Within the origin they are what lets one in.
    run_ajob get -r 0 -H "X-Api-Key: $SECRET" "$MAIN/f/c?redirect=2&size=5"
    assert_success
    assert_requests 3 '/f/c'
    assert_equal "$(requests_where '"/f/c" in target and "x-api-key" not in headers')" ''
    rm c
}

@test "user and password of a URL stay with its origin; those of a redirect are not told" {
    start_server
    run_ajob get -v --events events "http://user:$SECRET@${MAIN#http://}/f/a?redirect=storage&size=5" \
        "http://user:$SECRET@${MAIN#http://}/f/b?redirect=1&size=5"
    assert_success
    assert_equal "$(requests_where 'listener == "storage" and "authorization" in headers')" ''
    assert_equal "$(grep -cF "$SECRET" events "$AJOB_ERR" | cut -d : -f 2)" $'0\n0'
    run_ajob get -v -r 1 --retry-delay 1ms --events events "$MAIN/f/c?redirect=http://me:$SECRET@127.0.0.1:1/x?sig=$SECRET" \
        "$MAIN/f/d?redirect=http://me:$SECRET@$SECRET.invalid/x?sig=$SECRET" "$MAIN/f/e?redirect=$STORAGE/f/e?status=404&sig=$SECRET"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/c: Connection refused"
    # (The name of a host is no secret, and needed to find out why.)
    sed -i "s/$SECRET.invalid//" events "$AJOB_ERR"
    assert_equal "$(grep -cF "$SECRET" events "$AJOB_ERR" | cut -d : -f 2)" $'0\n0'
}

@test "an API's token does not follow it down to http, to another port or name" {
    start_server '{"token": "t0kEn-1234567890", "repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": 5}]}]}}}' --tls
    local fixture target
    for target in "$MAIN" "$STORAGE" "${TLS/127.0.0.1/localhost}" "$STORAGE_TLS"; do
        : >"$SERVER_STATE/requests.jsonl"
        fixture="{\"errors\": {\"*\": {\"redirect\": \"$target/repos/o/r/releases/tags/v1?x=y\", \"times\": 1}}, \"repos\": {\"o/r\": {}}}"
        set_fixture "$fixture"
        GITHUB_API_URL=$TLS GH_TOKEN=$SECRET SSL_CERT_FILE=$CA run_ajob download -r 0 o/r v1
        assert_failure 1
        assert_tree .
        assert_equal "$target $(requests_where '"authorization" in headers and "x=y" in target')" "$target "
        assert_equal "$(requests_where '"authorization" in headers' listener | sort -u)" tls
    done
}

@test "a token on the command line is refused, and not repeated" {
    local option
    for option in "--token=$SECRET" "--github-token=$SECRET"; do
        run_ajob download "$option" o/r
        assert_failure 2
        refute_stderr --partial "$SECRET"
    done
}

@test "a signature that has ended when it is used: said, and nothing of it is told" {
    start_server '{"sign_ttl": 0, "repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": 5}]}]}}}'
    run_ajob download --retry-delay 1ms -v --events events o/r
    assert_failure 1
    assert_tree . events v1/
    assert_stderr --partial 'v1/a: HTTP 403 (Forbidden)'
    assert_equal "$(grep -cE 'Signature|X-Amz' events "$AJOB_ERR" | cut -d : -f 2)" $'0\n0'
    run_ajob get -r 0 "$MAIN/f/b?redirect=storage&signed=0&size=5"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/b: HTTP 403 (Forbidden): AccessDenied: Request has expired"
}

@test "a redirect with a long body is followed" {
    start_server
    run_ajob get "$MAIN/f/a?redirect=2&redirect_body=1M&size=5&seed=1" -r 0
    assert_success
    assert_body a 1 5
    run_ajob get "$MAIN/f/b?redirect=loop&redirect_body=1G"
    assert_failure 1
    assert_stderr --partial 'more than 10 redirects'
}
