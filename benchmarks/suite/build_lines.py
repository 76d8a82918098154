"""Lines of CI files, Makefiles, Dockerfiles and project scripts that lose nothing and change nothing elsewhere."""

from __future__ import annotations

from suite.row import Row

LINES = r"""
set -euxo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update && apt-get install -y --no-install-recommends ca-certificates curl git && rm -rf /var/lib/apt/lists/*
sudo apt-get update -y
sudo apt-get install -y gcc g++ make cmake libssl-dev
apk add --no-cache --virtual .build-deps gcc musl-dev && pip install -r requirements.txt && apk del .build-deps
yum install -y epel-release && yum clean all
python -m pip install --upgrade pip setuptools wheel
pip install --no-cache-dir -r requirements-dev.txt
pip install tox && tox -e lint
python -m build --sdist --wheel
python -m pytest --cov=src --cov-report=xml --junitxml=report.xml
coverage xml && codecov
ruff check --output-format=github .
mypy --strict src tests
npm ci --prefer-offline --no-audit
npm run build --if-present
npm run test:ci -- --coverage
npx lerna run build
npx nx affected --target=test
yarn install --immutable
yarn workspaces foreach run build
pnpm install --frozen-lockfile
pnpm -r --filter './packages/**' test
corepack enable
nvm install 20 && nvm use 20
cargo build --verbose --workspace
cargo test --all-features --no-fail-fast
cargo fmt --all -- --check
cargo install cargo-audit && cargo audit
rustup component add clippy rustfmt
rustup target add wasm32-unknown-unknown
go build -ldflags "-s -w -X main.version=$VERSION" -o bin/app ./cmd/app
go test -race -coverprofile=coverage.txt ./...
golangci-lint run --timeout 5m
CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -o dist/app .
./gradlew --no-daemon check
./gradlew assembleDebug --stacktrace
mvn -B -q verify -Pci
mvn dependency:go-offline
bundle config set --local path vendor/bundle
bundle install --jobs 4 --retry 3
bundle exec rake spec
composer install --no-interaction --prefer-dist
dotnet restore && dotnet build --no-restore -c Release
dotnet publish -c Release -o out
cmake -B build -DCMAKE_BUILD_TYPE=Release -G Ninja
cmake --build build --parallel
ctest --test-dir build --output-on-failure
make -C docs html
make distclean || true
make install DESTDIR=$PWD/pkg
autoreconf -fi && ./configure && make check
meson setup build && ninja -C build test
bazel build //... && bazel test //...
docker build --pull --tag app:$GITHUB_SHA --build-arg VERSION=$VERSION .
docker build -t "$IMAGE:$TAG" -f docker/Dockerfile .
docker run --rm -v "$PWD":/src -w /src golang:1.22 make test
docker run --rm app:test npm test
docker compose -f docker-compose.ci.yml up -d --wait
docker compose -f docker-compose.ci.yml run --rm app pytest
docker compose -f docker-compose.ci.yml down
docker save app:latest | gzip > app.tar.gz
docker buildx create --use
docker buildx build --platform linux/amd64,linux/arm64 -t app .
docker tag app:latest registry.local/app:latest
docker cp "$(docker create app)":/out ./out
hadolint Dockerfile
trivy fs --exit-code 1 .
git fetch --prune --unshallow
git fetch origin main:main
git config --global user.email "ci@example.com"
git config --global --add safe.directory "$PWD"
git config user.name github-actions[bot]
git submodule sync --recursive && git submodule update --init
git diff --exit-code
git describe --tags --always --dirty
git rev-parse --short HEAD
git clone --depth=1 https://github.com/a/b.git vendor/b
git lfs pull
git archive --format=tar.gz -o src.tar.gz HEAD
VERSION=$(git describe --tags | sed 's/^v//')
SHA=$(git rev-parse HEAD); echo "sha=$SHA" >> "$GITHUB_OUTPUT"
echo "PATH=$HOME/.local/bin:$PATH" >> $GITHUB_ENV
echo "$HOME/.cargo/bin" >> $GITHUB_PATH
echo "::set-output name=dir::$(yarn cache dir)"
if [ "$CI" = "true" ]; then npm ci; else npm install; fi
if [[ "$OSTYPE" == "darwin"* ]]; then brew install coreutils; fi
for dir in packages/*/; do (cd "$dir" && npm test); done
for py in 3.11 3.12; do python$py -m venv .venv$py; done
while IFS= read -r line; do echo "$line"; done < versions.txt
case "$(uname -s)" in Linux*) os=linux ;; Darwin*) os=mac ;; esac
test -z "$(gofmt -l .)"
[ -z "$(git status --porcelain)" ] || exit 1
command -v jq >/dev/null || { echo "jq missing"; exit 1; }
cd "$(dirname "$0")/.."
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$ROOT/scripts/env.sh"
. ./venv/bin/activate
trap 'kill $(jobs -p)' EXIT
trap 'rm -rf "$TMPDIR_LOCAL"' EXIT; TMPDIR_LOCAL=$(mktemp -d)
tmp="$(mktemp -d)"; trap 'rm -rf "$tmp"' EXIT
rm -rf dist && mkdir dist
rm -rf build/ dist/ *.egg-info/
rm -rf node_modules
rm -rf ./coverage
rm -rf .tox .mypy_cache .ruff_cache
rm -f *.o *.so *.a
rm -f coverage.xml report.xml
rm -rf target/debug
rimraf dist
npx rimraf dist coverage
find . -name '*.pyc' -exec rm -f {} \;
find . -type d -name '__pycache__' -prune -exec rm -rf {} +
find . -name node_modules -type d -prune -exec rm -rf '{}' +
cp -R public/* dist/
cp -a dist/. out/
install -m 755 bin/app "$DESTDIR/usr/bin/app"
mkdir -p "$HOME/.cache/app"
ln -sf "$PWD/bin/app" "$HOME/.local/bin/app"
tar -czf app-$VERSION.tar.gz -C dist .
zip -qr lambda.zip . -x '*.git*'
sha256sum dist/* > dist/SHA256SUMS
gpg --verify a.sig a
curl -fsSL https://example.com/tool.tar.gz | tar -xz -C /tmp
curl -sSfL -o tool.zip https://example.com/tool.zip && unzip -q tool.zip -d /tmp/tool
curl --retry 5 --fail http://localhost:8080/health
wget -qO /tmp/a.tgz https://example.com/a.tgz
timeout 300 bash -c 'until curl -sf localhost:9200; do sleep 2; done'
./scripts/wait-for-it.sh db:5432 -- echo up
sed -i "s/__VERSION__/$VERSION/" src/version.py
sed -i.bak 's/^version = .*/version = "1.2"/' Cargo.toml && rm Cargo.toml.bak
envsubst < config.tpl > config.yml
jq --arg v "$VERSION" '.version = $v' package.json > package.tmp && mv package.tmp package.json
yq -i '.version = strenv(VERSION)' chart/Chart.yaml
printf '%s\n' "$KEY_NAME" > key_name.txt
cat VERSION
python scripts/check_licenses.py
python setup.py sdist bdist_wheel
python manage.py collectstatic --noinput
python manage.py migrate --noinput
python manage.py test --parallel
bin/rails db:create db:schema:load RAILS_ENV=test
RAILS_ENV=test bundle exec rails db:migrate
php artisan key:generate
php artisan test --parallel
mix ecto.create && mix ecto.migrate
npx prisma generate
npx cypress run --browser chrome
npx playwright install --with-deps
xvfb-run --auto-servernum npm test
psql -h localhost -U postgres -c 'CREATE DATABASE test;'
createdb -h localhost test
mysql -h127.0.0.1 -uroot -proot -e 'CREATE DATABASE test'
redis-cli -h localhost ping
helm dependency build chart
helm lint chart --strict
helm template chart | kubeval
kubectl kustomize overlays/dev > out.yml
kind create cluster --name test
minikube start
terraform init -backend=false
terraform fmt -check -recursive
terraform validate -no-color
tflint --recursive
ansible-lint playbook.yml
ansible-playbook --syntax-check site.yml
aws s3 cp s3://bucket/file .
aws ecr get-login-password | docker login --username AWS --password-stdin 1.dkr.ecr.us-east-1.amazonaws.com
gcloud auth configure-docker
sudo systemctl start docker
sudo service mysql start
sudo sysctl -w vm.max_map_count=262144
sudo chown -R $USER:$USER node_modules
sudo ldconfig
sudo locale-gen en_US.UTF-8
ulimit -n 4096
chmod +x ./gradlew
chmod -R a+rX public
chmod 600 key.pem
mkdir -p ~/.ssh && ssh-keyscan github.com >> ~/.ssh/known_hosts
ssh-keygen -t rsa -N '' -f ./id_test
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=localhost
openssl genrsa -out key.pem 2048
date -u +%Y-%m-%dT%H:%M:%SZ
exit $?
exec "$@"
exec gunicorn app:app
wait
npm version "$VERSION" --no-git-tag-version
npm pack
yarn pack
cargo package --list
poetry build
twine check dist/*
goreleaser check
goreleaser build --snapshot
semantic-release --dry-run
pre-commit run --all-files --show-diff-on-failure
shellcheck scripts/*.sh
yamllint .
markdownlint '**/*.md'
doxygen Doxyfile
sphinx-build -b html docs docs/_build
mkdocs build --strict
hugo --minify
bundle exec jekyll build
xcodebuild -scheme App -destination 'platform=iOS Simulator' test
pod install
fastlane test
flutter pub get && flutter test
dart analyze
swift build && swift test
sbt clean compile test
lein test
stack build --test
cabal build all
opam install . --deps-only
zig build test
Rscript -e 'testthat::test_dir("tests")'
julia --project -e 'using Pkg; Pkg.test()'
conda env create -f environment.yml
conda list
pip-compile requirements.in
uv pip compile requirements.in -o requirements.txt
uv sync --frozen --all-extras
hatch run test
nox -s tests
"""


def rows() -> list[Row]:
    """Every line."""
    return [Row(command=line, expected="allow", category=line.split()[0]) for line in LINES.strip().splitlines()]
