#!/usr/bin/env bash
# Installs what databuild needs on Debian or Ubuntu, and nothing that is there already:
#   Chrome (Debian's chromium-headless-shell), fonts, a C compiler, the ONNX Runtime library out of its PyPI wheel.
# With --tests also the Python packages that the tests read the dataset with, and the engine that they talk to.
# Everything that is not a system package lands in .tools/ of this folder.
set -euo pipefail
cd "$(dirname "$0")/.."

onnxruntime_version=1.31.1 # what was tried with the `ort` crate; docs/decisions/0004-onnx-runtime-loading.md

packages=()
need() { # a command or file that shows that a package is there, then the package
  command -v "$1" >/dev/null 2>&1 || [ -e "$1" ] || packages+=("$2")
}
have_chrome() {
  local name
  for name in /usr/lib/chromium/chromium-headless-shell chromium-headless-shell chrome-headless-shell; do
    if command -v "$name" >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

need cc build-essential
need python3 python3
need fc-list fontconfig
need /usr/share/fonts/truetype/liberation fonts-liberation
need /usr/share/fonts/truetype/dejavu fonts-dejavu-core
need /usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf fonts-noto-core
need /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc fonts-noto-cjk
need /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf fonts-noto-color-emoji
have_chrome || packages+=(chromium-headless-shell)
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || packages+=(python3-venv)

if [ "${#packages[@]}" -gt 0 ]; then
  echo "installing ${packages[*]}" >&2
  sudo=()
  if [ "$(id -u)" -ne 0 ]; then sudo=(sudo); fi
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
fi

if [ ! -x .tools/python/bin/python ]; then
  python3 -m venv .tools/python
fi

if [ ! -e .tools/onnxruntime/libonnxruntime.so ]; then
  echo "fetching ONNX Runtime $onnxruntime_version" >&2
  wheel=$(mktemp -d)
  trap 'rm -rf "$wheel"' EXIT
  .tools/python/bin/python -m pip download -q --disable-pip-version-check --no-deps -d "$wheel" "onnxruntime==$onnxruntime_version"
  mkdir -p .tools/onnxruntime
  .tools/python/bin/python - "$wheel" <<'PY'
import pathlib, sys, zipfile
[wheel] = pathlib.Path(sys.argv[1]).glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    [library] = [name for name in archive.namelist() if name.startswith("onnxruntime/capi/libonnxruntime.so.")]
    target = pathlib.Path(".tools/onnxruntime/libonnxruntime.so")
    part = target.with_suffix(".part")
    part.write_bytes(archive.read(library))
    part.chmod(0o755)
    part.rename(target)
PY
fi

if [ "${1:-}" = --tests ]; then
  stamp=.tools/python/requirements.txt
  if ! cmp -s tests/python/requirements.txt "$stamp"; then
    echo "installing the Python packages of the tests" >&2
    .tools/python/bin/python -m pip install -q --disable-pip-version-check -r tests/python/requirements.txt
    cp tests/python/requirements.txt "$stamp"
  fi
  infra/llama-server.sh
fi
