# What the scripts of this folder share; they source it.

say() { echo "corpus: $*" >&2; }
fail() { say "$*"; exit 1; }

# fortunes FOLDER PACKAGE...: the texts of Debian's packages of fortunes, a folder for each in FOLDER.
fortunes() {
    local folder=$1 package unpacked
    shift
    mkdir -p "$folder"
    unpacked=$(mktemp -d -p "$folder")
    for package in "$@"; do
        (cd "$unpacked" && apt-get -o APT::Sandbox::User=root --quiet=2 download "$package" >/dev/null) ||
            fail "could not download the package $package; run 'apt-get update' and try again"
        dpkg-deb --extract "$unpacked/$package"_*.deb "$unpacked/root"
        mv "$unpacked/root/usr/share/games/fortunes" "$folder/$package"
    done
    rm -rf "$unpacked"
}
