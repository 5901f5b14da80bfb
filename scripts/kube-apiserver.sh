#!/bin/sh
# Brings etcd, kube-apiserver and kube-controller-manager into .cache/kube/bin, for `make test-k8s`.
#
# Programs on PATH are taken as they are. Others come from Debian: etcd as a package, Kubernetes 1.20 built from the
# source package with Go 1.19, which takes about 8 minutes on 2 processors, once. Nothing is installed on the system.
# Packages come from wherever apt is configured to take them; no address stands here.
set -eu
cd "${0%/*}/.."
kube=$(pwd)/.cache/kube
programs="etcd kube-apiserver kube-controller-manager"
say() { printf 'kube: %s\n' "$*" >&2; }
mkdir -p "$kube/bin" "$kube/parts" "$kube/lists/partial" "$kube/debs"

missing() {
    for program in $programs; do
        [ -x "$kube/bin/$program" ] && continue
        found=$(command -v "$program") && ln -sf "$found" "$kube/bin/$program" && continue
        echo "$program"
    done
}
[ -z "$(missing)" ] && exit 0
for tool in apt-get dpkg-source dpkg-deb; do
    command -v "$tool" >/dev/null || { say "$tool is needed to build $(missing | tr '\n' ' ')" && exit 1; }
done

# The system's own sources, with source packages beside the binary ones.
for list in /etc/apt/sources.list.d/*.sources; do
    [ -f "$list" ] && sed 's/^Types:.*/Types: deb deb-src/' "$list" >"$kube/parts/${list##*/}"
done
[ -s /etc/apt/sources.list ] && sed -n 's/^deb /deb-src /p; /^deb/p' /etc/apt/sources.list >"$kube/parts/list.list"
apt() { apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$kube/parts" -o "Dir::State::lists=$kube/lists" "$@"; }
apt update
cd "$kube/debs"
say "fetching"
apt download etcd-server golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev
apt source --download-only kubernetes
for deb in *.deb; do dpkg-deb -x "$deb" "$kube/root"; done
ln -sf "$kube/root/usr/bin/etcd" "$kube/bin/etcd"
[ -z "$(missing)" ] && exit 0
source=$kube/gopath/src/k8s.io/kubernetes
[ -d "$source" ] || { mkdir -p "${source%/*}" && dpkg-source --no-check -x kubernetes_*.dsc "$source" >&2; }

# The vendored reflect2 reads maps in a way that Go 1.18 has ended: the server would crash.
reflect2=github.com/modern-go/reflect2
rm -rf "$source/vendor/${reflect2:?}"
cp -r "$kube/root/usr/share/gocode/src/$reflect2" "$source/vendor/$reflect2"

say "building, once; this takes some minutes"
export GOROOT="$kube/root/usr/lib/go-1.19" GOPATH="$kube/gopath" GOCACHE="$kube/gocache"
export GO111MODULE=off CGO_ENABLED=0 PATH="$kube/root/usr/lib/go-1.19/bin:$PATH"
unset GOFLAGS
cd "$source"
# The one generated file that the package leaves to its own build: see build/root/Makefile.generated_files there.
go build -o "$kube/bin/openapi-gen" k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen
folders=$(grep -rlE --include='*.go' '^//? ?\+k8s:openapi-gen=true' pkg staging/src/k8s.io |
    sed -e '/sample-\|code-generator\|testing/d' -e 's,/[^/]*$,,' -e 's,^staging/src,vendor,' -e 's,^,k8s.io/kubernetes/,' |
    sort -u | paste -sd,)
"$kube/bin/openapi-gen" --logtostderr -i "$folders" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
    -h hack/boilerplate/boilerplate.generatego.txt -r /dev/null --output-base "$kube/gopath/src"
version=k8s.io/component-base/version
go build -trimpath -ldflags "-s -w -X $version.gitVersion=v1.20.2 -X $version.gitMajor=1 -X $version.gitMinor=20" \
    -o "$kube/bin/" k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager
rm -rf "$kube/gocache" "$kube/debs"
[ -z "$(missing)" ] && say "ready: $kube/bin"
