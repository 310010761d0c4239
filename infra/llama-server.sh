#!/usr/bin/env bash
# Builds .tools/llama-server/llama-server, the engine that the tests of the chat protocol talk to, unless it is there:
#   llama.cpp's server out of the llama-cpp-python source archive, with CMake and Ninja; all three come from PyPI.
# Needs infra/setup.sh to have run. Takes about five minutes of processor time, once.
set -euo pipefail
cd "$(dirname "$0")/.."

llama_cpp_python_version=0.3.36 # what the tests were tried with
cmake_version=4.4.5
ninja_version=1.13.2
server=.tools/llama-server/llama-server

if [ -x "$server" ]; then exit 0; fi
if [ ! -x .tools/python/bin/python ]; then
  echo "there is no .tools/python: run infra/setup.sh first" >&2
  exit 1
fi
pip=(.tools/python/bin/python -m pip --disable-pip-version-check -q)

# In .tools, so that moving the result to its place is a rename: the server is there whole or not at all.
work=$(mktemp -d "$PWD/.tools/llama-server.XXXXXX")
trap 'rm -rf "$work"' EXIT

echo "fetching llama.cpp (llama-cpp-python $llama_cpp_python_version)" >&2
"${pip[@]}" install "cmake==$cmake_version" "ninja==$ninja_version"
"${pip[@]}" download --no-deps --no-binary llama-cpp-python -d "$work" "llama-cpp-python==$llama_cpp_python_version"
mkdir "$work/source"
tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work/source" --strip-components=1

options=(
  -DCMAKE_BUILD_TYPE=Release
  # The models of the tests are tiny: what takes time is compiling.
  -DCMAKE_CXX_FLAGS_RELEASE=-O0 -DCMAKE_C_FLAGS_RELEASE=-O1
  -DCMAKE_EXE_LINKER_FLAGS=-s
  -DBUILD_SHARED_LIBS=OFF
  # Runs on other processors too, where .tools is kept in a cache, and rounds alike there.
  -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF
  # Only the server, and nothing that is fetched while building: no TLS, no web page.
  -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DFETCHCONTENT_FULLY_DISCONNECTED=ON
  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF
  # Otherwise they would be asked of the git repository around: ours.
  -DLLAMA_BUILD_NUMBER=1 -DLLAMA_BUILD_COMMIT="$llama_cpp_python_version"
)
build() {
  local PATH="$PWD/.tools/python/bin:$PATH"
  cmake -S "$work/source/vendor/llama.cpp" -B "$work/build" -G Ninja "${options[@]}" &&
    cmake --build "$work/build" --target llama-server --parallel "$(nproc)"
}
echo "building llama-server; this takes minutes" >&2
log="$work/build.log"
if ! build >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "llama-server cannot be built" >&2
  exit 1
fi

mkdir -p "$(dirname "$server")"
mv "$work/build/bin/llama-server" "$server"
echo "built $server" >&2
