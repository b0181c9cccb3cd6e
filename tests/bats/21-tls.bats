# TLS, and a real server: nginx with HTTP/2 and HTTP/1.1.

load ../helpers

setup() { common_setup; }
teardown() {
    stop_nginx
    common_teardown
}

# --- nginx -------------------------------------------------------------------

# start_nginx [DIRECTIVE...]: sets HTTPS and PLAIN (its URLs), CA; serves ./www. Its
# log has a line for each request: connection, protocol, path.
start_nginx() {
    local state=$BATS_TEST_TMPDIR/nginx plain tls
    mkdir -p www "$state"
    (cd "$state" && make_certificate) || return
    read -r plain tls < <(free_ports 2)
    cat >"$state/conf" <<END
daemon off; master_process off; pid $state/pid; error_log $state/error.log;
events { worker_connections 512; }
http {
    log_format requests '\$connection \$server_protocol \$request_uri \$status';
    access_log $state/access.log requests;
    client_body_temp_path $state/body; proxy_temp_path $state/proxy; fastcgi_temp_path $state/fastcgi;
    uwsgi_temp_path $state/uwsgi; scgi_temp_path $state/scgi;
    keepalive_requests 100000;
    server {
        listen 127.0.0.1:$plain; listen 127.0.0.1:$tls ssl http2;
        ssl_certificate $state/server.pem; ssl_certificate_key $state/server.key;
        root $WORK/www; ${*}
    }
}
END
    (unset AJOB_TEST_ID && cd / && exec nginx -p "$state" -c "$state/conf" 2>"$state/stderr" 3>&-) &
    NGINX=$!
    disown "$NGINX"
    PLAIN=http://127.0.0.1:$plain HTTPS=https://127.0.0.1:$tls CA=$state/ca.pem
    answers() { curl -s --noproxy '*' -o /dev/null "$PLAIN/probe"; }
    wait_until 60 answers || fail "$(cat "$state/stderr" "$state/error.log")"
}

stop_nginx() {
    [[ -n ${NGINX-} ]] || return 0
    kill -TERM "$NGINX" 2>/dev/null || true
    wait_until 60 process_over "$NGINX"
}

make_certificate() {
    local key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    {
        openssl req -x509 "${key[@]}" -keyout ca.key -out ca.pem -days 2 -subj '/CN=CA' -addext keyUsage=critical,keyCertSign
        openssl req -new "${key[@]}" -keyout server.key -out server.csr -subj /CN=localhost
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 2 -out server.pem \
            -extfile <(printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "${CERTIFIED-IP:127.0.0.1}")
    } 2>openssl.log
}

# access FIELD: of each request for $HTTPS, or $PLAIN, sorted, counted
access() { grep -v ' /probe ' "$BATS_TEST_TMPDIR/nginx/access.log" | cut -d ' ' -f "$1" | sort | uniq -c | tr -s ' '; }

connections() { access 1 | wc -l; }

# files BASE COUNT SIZE: in www/, and the list of their URLs below BASE in ./list
files() {
    body 1 "$(($2 * $3))" | split -a 3 -d -b "$3" - www/
    for file in www/*; do
        echo "$1/${file#www/}"
    done >list
}

same_files() { diff -r www "$1"; }

# --- tests -------------------------------------------------------------------

@test "--cacert names whom to trust" {
    start_server --tls
    run_ajob get --cacert "$CA" "$TLS/f/a?size=300K&seed=1&redirect=storage"
    assert_success
    assert_body a 1 300K
    assert_requests 1 '^storage_tls .* 200 ok$'
    SSL_CERT_FILE=$CA run_ajob get "$TLS/f/b?size=10"
    assert_success
    CURL_CA_BUNDLE=$CA run_ajob get "${TLS/127.0.0.1/localhost}/f/c?size=10"
    assert_success
}

@test "a certificate that nobody vouches for: a failure, at once" {
    start_server --tls
    run_ajob get --retry-delay 1ms --events events "$TLS/f/a?size=10"
    assert_failure 1
    assert_stderr --partial "ajob: get: $TLS/f/a: "
    assert_stderr --regexp '[Cc]ertificate|SSL'
    refute_stderr --partial retrying
    assert_equal "$(events events 'event == "task.ended"' attempts)" 1
    assert_tree . events
    assert_requests 0
    echo nonsense >bad.pem
    run_ajob get --cacert bad.pem "$TLS/f/a?size=10"
    assert_failure 1
    refute_stderr --partial retrying
    assert_requests 0
}

@test "a certificate for another name: a failure, at once" {
    CERTIFIED=DNS:elsewhere.test start_nginx
    files "$HTTPS" 1 10
    run_ajob get --retry-delay 1ms --cacert "$CA" -i list
    assert_failure 1
    assert_stderr --partial "ajob: get: $HTTPS/000: SSL: no alternative certificate subject name matches"
    refute_stderr --partial retrying
    assert_equal "$(access 4)" ""
}

@test "breaks in the middle of TLS are mended" {
    start_server --tls
    run_ajob get --cacert "$CA" --retry-delay 1ms "$TLS/f/a?size=300K&seed=1&reset_at=200K&times=1" \
        "$TLS/f/b?size=300K&seed=2&close_at=200K&times=1" "$TLS/f/c?size=300K&seed=3&length=none"
    assert_success
    assert_body a 1 300K
    assert_body b 2 300K
    assert_body c 3 300K
    assert_requests 2 ' 206 ok$'
}

@test "a release over TLS, its assets on another host" {
    start_server --tls '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": "300K", "seed": 1}, {"name": "b", "size": 5}]}]}}}'
    GITHUB_API_URL=$TLS run_ajob download --cacert "$CA" o/r
    assert_success
    assert_tree . v1/a v1/b
    assert_requests 2 '^storage_tls .* 200 ok$'
    assert_requests 0 '^main|^storage '
    GITHUB_API_URL=$TLS run_ajob download o/r
    assert_failure 1
    assert_stderr --partial 'download: o/r: latest release: '
}

@test "HTTP/2: many files on one connection" {
    start_nginx
    files "$HTTPS" 200 3000
    run_ajob get --http 2 --cacert "$CA" -j 64 -i list -d out
    assert_success
    same_files out
    assert_equal "$(access 2)" ' 200 HTTP/2.0'
    assert_equal "$(access 4)" ' 200 200'
    (($(connections) <= 2)) || fail "$(connections) connections"
    assert_stderr --partial '200 downloaded'
}

@test "HTTP/2 by itself only where the installed libcurl does it well" {
    start_nginx
    files "$HTTPS" 1 10
    run_ajob get --cacert "$CA" -i list
    assert_success
    local version
    version=$("$AJOB" --version | sed -n 's/^libcurl \([0-9.]*\).*/\1/p')
    if [[ $(printf '%s\n' 8.14.0 "$version" | sort -V | head -n 1) == 8.14.0 ]]; then
        assert_equal "$(access 2)" ' 1 HTTP/2.0'
    else
        assert_equal "$(access 2)" ' 1 HTTP/1.1'
    fi
}

@test "HTTP/1.1: connections are used again" {
    start_nginx
    files "$HTTPS" 60 3000
    run_ajob get --http 1.1 --cacert "$CA" -j 4 -i list -d out
    assert_success
    same_files out
    assert_equal "$(access 2)" ' 60 HTTP/1.1'
    (($(connections) <= 4)) || fail "$(connections) connections"
    sed -i "s|$HTTPS|$PLAIN|" list
    run_ajob get -i list -d plain
    assert_success
    same_files plain
    (($(connections) <= 4 + 6)) || fail "$(connections) connections"
}

@test "large files over HTTP/2, and up to date the next time" {
    start_nginx
    files "$HTTPS" 4 6000000
    run_ajob get --http 2 --cacert "$CA" -i list -d out
    assert_success
    same_files out
    run_ajob get --http 2 --cacert "$CA" -i list -d out
    assert_success
    assert_stderr --partial '4 up to date'
    assert_equal "$(access 4)" ' 8 200'
}

# More than one stream of a connection brings nothing where each connection is limited, so
# those that are added speak HTTP/1.1, whatever the first one does.
@test "HTTP/2 and segments: each has a connection of its own, unless --http 2 is asked for" {
    start_nginx 'location = /000 { limit_rate 2m; }'
    files "$HTTPS" 2 4000000
    sed -i "\|/001|d" list
    run_ajob get --segments 4 --cacert "$CA" -i list -d out
    assert_success
    cmp out/000 www/000
    assert_equal "$(access 2 | cut -d ' ' -f 3)" HTTP/1.1
    (($(connections) >= 4)) || fail "$(connections) connections"
    : >"$BATS_TEST_TMPDIR/nginx/access.log"
    run_ajob get --cacert "$CA" -i list -d auto
    assert_success
    cmp auto/000 www/000
    (($(connections) >= 2)) || fail "one connection for a limited file"
    (($(grep -c HTTP/2 "$BATS_TEST_TMPDIR/nginx/access.log") <= 1)) || fail "$(access 2)"
    : >"$BATS_TEST_TMPDIR/nginx/access.log"
    run_ajob get --segments 4 --http 2 --cacert "$CA" -d two "$HTTPS/001"
    assert_success
    cmp two/001 www/001
    assert_equal "$(access 2)" ' 1 HTTP/2.0'
}

@test "HTTP/2: what breaks off is resumed with nginx's validator" {
    start_nginx
    files "$HTTPS" 1 3000000
    run_ajob get --http 2 --cacert "$CA" -i list -d whole
    # Half of it, as an interrupted run leaves it.
    mkdir out && head -c 1M www/000 >out/000.part
    printf '{"part": 1, "boot": "%s", "identity": "url-sha256:%s", "etag": %s, "size": 3000000}' \
        "$(</proc/sys/kernel/random/boot_id)" "$(printf %s "$HTTPS/000" | sha256sum | cut -c1-64)" \
        "$(curl -sI --cacert "$CA" "$HTTPS/000" | sed -n 's/^[Ee][Tt]ag: "\(.*\)"\r$/"\\"\1\\""/p')" >out/000.part.json
    run_ajob get --http 2 --cacert "$CA" -i list -d out
    assert_success
    assert_stderr --partial 'resumed at 1.0 MiB'
    same_files out
    assert_equal "$(access 4 | sort -k 2 | tail -n 1)" ' 1 206'
}

@test "HTTP/2: a server that goes away gracefully loses nothing" {
    start_nginx 'keepalive_requests 20;'
    files "$HTTPS" 100 30000
    run_ajob get --http 2 --cacert "$CA" -j 32 --retry-delay 1ms -i list -d out
    assert_success
    same_files out
}

@test "HTTP/2 where the server has none: HTTP/1.1 does" {
    start_server --tls
    run_ajob get --http 2 --cacert "$CA" "$TLS/f/a?size=300K&seed=1" "$MAIN/f/b?size=5"
    assert_success
    assert_tree . a b
}

@test "--insecure takes any certificate, says so, and tells nobody a secret" {
    start_server --tls
    local secret=t0kEn-1234567890
    run_ajob get "$TLS/f/a?size=300K&seed=1"
    assert_failure 1
    run_ajob get --insecure -H "X-Key: $secret" -H "Authorization: Bearer $secret" "$TLS/f/a?size=300K&seed=1" \
        "https://user:$secret@${TLS#https://}/f/b?size=5&redirect=storage" "http://user:$secret@${MAIN#http://}/f/c?size=5"
    assert_success
    assert_body a 1 300K
    assert_stderr --partial '--insecure'
    assert_requests 4
    assert_equal "$(requests_where "'$secret' in str(headers) or 'authorization' in headers or 'x-key' in headers")" ""
    # It is no licence to leave TLS.
    run_ajob get --insecure "$TLS/f/d?redirect=tls2http&size=5"
    assert_failure 1
    assert_stderr --partial 'redirected from https to http: refused'
}

@test "--insecure drops the token of a download, too" {
    start_server --tls '{"token": "t0kEn-1234567890", "repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": 5}]}]}}}'
    GITHUB_API_URL=$TLS GH_TOKEN=t0kEn-1234567890 run_ajob download --insecure o/r
    assert_equal "$(requests_where '"authorization" in headers')" ""
    assert_stderr --partial '--insecure'
    (($(count_requests '^tls') >= 1))
}

@test "HTTP/2: what breaks the limit on the rate is not kept in memory: HTTP/1.1 is spoken" {
    start_nginx
    files "$HTTPS" 2 30000
    run_ajob get --cacert "$CA" --limit-rate 1M -i list -d out
    assert_success
    same_files out
    assert_equal "$(access 2)" ' 2 HTTP/1.1'
    run_ajob get --http 2 --cacert "$CA" --limit-rate 1M -i list -d again
    assert_success
    same_files again
    assert_equal "$(access 2)" $' 2 HTTP/1.1\n 2 HTTP/2.0'
}

@test "an answer that is no TLS: said in words, and not tried again" {
    start_nginx
    run_ajob get --retry-delay 1ms "${PLAIN/http:/https:}/000"
    assert_failure 1
    assert_stderr --partial '/000: the server does not speak TLS there: is it an http:// URL?'
    refute_stderr --partial retrying
    assert_tree . www/
}
