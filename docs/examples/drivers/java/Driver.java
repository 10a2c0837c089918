import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * An example driver over the contract in docs/driver-contract.md: the JDK alone, snapshots on an Element array.
 *
 * <p>Run it with `javac -d classes *.java && snapproof run --driver 'cmd:java -cp classes Driver'`, or from Java 22 on with
 * `cmd:java Driver.java`. Its siblings in Go, Node.js and Python do the same calls in the same order under the same names.
 * It keeps its records in one file of its state directory, beside the array's own. HTTP and JSON are SnapproofShim's.
 */
public final class Driver implements SnapproofShim.Verbs {
    private static final Set<String> PASSING = Set.of("xDBVersionMismatch", "xNotPrimary", "xNotReadyForIO", "xSliceNotRegistered");
    private static final Set<String> GONE = Set.of("xSnapshotIDDoesNotExist", "xVolumeIDDoesNotExist", "xVolumeDoesNotExist");
    private static final Map<String, String> PLACES = Map.of("primary", "PRIMARY", "secondary", "SECONDARY");
    private static final int TRIES_MAX = 5;
    private static final int NAME_CHARACTERS_MAX = 255;
    private static final long LUN_BYTES_MIN = 1_000_000_000L;
    private static final long METADATA_BYTES = 8L << 20; // hosts keep their own beside the disk

    /** The array said no; the message is the name of its error. */
    private static final class Refused extends Exception {
        Refused(String name) { super(name); }
    }

    /** Nobody knows whether the array did it. */
    private static final class Unanswered extends Exception {
        Unanswered(String why) { super(why); }
    }

    private final Map<String, Object> site;
    private final Map<String, Object> array;
    private final HttpClient client;
    private final Path records;
    private final Map<String, Object> volumes;
    private final Map<String, Object> snapshots;

    private Driver(Map<String, Object> site) {
        this.site = site;
        this.array = SnapproofShim.object(site.get("array"));
        this.records = Path.of((String) site.get("state_directory"), "records.json");
        try {
            this.client = HttpClient.newBuilder().sslContext(trusting((String) array.get("ca_pem"))).build();
            Map<String, Object> kept = Files.exists(records) ? object(SnapproofShim.Json.read(Files.readString(records))) : Map.of();
            this.volumes = object(kept.getOrDefault("volumes", new LinkedHashMap<>()));
            this.snapshots = object(kept.getOrDefault("snapshots", new LinkedHashMap<>()));
        } catch (IOException | GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private static SSLContext trusting(String pem) throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null);
        if (pem != null) {
            ByteArrayInputStream written = new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII));
            trusted.setCertificateEntry("array", CertificateFactory.getInstance("X.509").generateCertificate(written));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    /** Write the records down, all or nothing. */
    private void keep() {
        Path fresh = records.resolveSibling("records.new");
        try {
            Files.writeString(fresh, SnapproofShim.Json.write(Map.of("volumes", volumes, "snapshots", snapshots)));
            Files.move(fresh, records, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    /** Ask the array once. */
    private Map<String, Object> call(String method, Map<String, Object> params) throws Refused, Unanswered {
        if (!array.get("url").toString().startsWith("https:")) {
            throw problem("unavailable", "The array shows no certificate, so it is not told the password.");
        }
        String login = array.get("username") + ":" + array.get("password");
        String body = SnapproofShim.Json.write(Map.of("method", method, "params", params, "id", 1));
        HttpRequest request = HttpRequest.newBuilder(URI.create(array.get("url") + "/json-rpc/9.0"))
            .header("authorization", "Basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8)))
            .header("content-type", "application/json-rpc").timeout(Duration.ofSeconds(30))
            .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        Map<String, Object> answer;
        try {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) throw new IOException("HTTP " + response.statusCode());
            answer = object(SnapproofShim.Json.read(response.body()));
        } catch (IOException | InterruptedException | IllegalArgumentException error) {
            throw new Unanswered("The array gave no answer to " + method + ".");
        }
        if (answer.containsKey("error")) throw new Refused((String) object(answer.get("error")).get("name"));
        return object(answer.get("result"));
    }

    /** Act, and again while that may help; but look first whether an earlier try has worked after all. */
    private Map<String, Object> insist(Callable<Map<String, Object>> act, Callable<Map<String, Object>> find) {
        for (int tries = 1; ; tries++) {
            try {
                Map<String, Object> found = tries > 1 ? find.call() : null;
                return found != null ? found : act.call();
            } catch (Refused | Unanswered error) {
                boolean passing = error instanceof Unanswered || PASSING.contains(error.getMessage());
                if (!passing || tries == TRIES_MAX) throw problem("backend", error.getMessage());
            } catch (RuntimeException error) {
                throw error;
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
            try {
                Thread.sleep((long) (15 * (1 << tries) * ThreadLocalRandom.current().nextDouble(1.0, 1.4)));
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    private Map<String, Object> ask(String method, Map<String, Object> params) {
        return insist(() -> call(method, params), () -> null);
    }

    /** Delete something; what is gone already is no error. */
    private void end(String method, Map<String, Object> params) {
        try {
            ask(method, params);
        } catch (SnapproofShim.Problem problem) {
            if (!GONE.contains(problem.getMessage())) throw problem;
        }
    }

    /** Find or make the array's account that owns our volumes. */
    private Object account() {
        Map<String, Object> ours = first(ask("ListAccounts", Map.of()).get("accounts"), "username", "example");
        return (ours != null ? ours : ask("AddAccount", Map.of("username", "example"))).get("accountID");
    }

    @Override
    public Map<String, Object> createVolume(Map<String, Object> request) {
        if (request.get("from_snapshot") != null || request.get("from_template") != null) {
            throw problem("not-supported", "This driver makes empty volumes only.");
        }
        String identity = identityOf("volume", (String) request.get("operation"));
        if (!volumes.containsKey(identity)) {
            Object account = account();
            long size = Math.max(LUN_BYTES_MIN, (Long) request.get("size_bytes") + METADATA_BYTES);
            Map<String, Object> qos = object(request.get("qos"));
            Map<String, Object> limits = Map.of("minIOPS", qos.get("min_iops"), "maxIOPS", qos.get("max_iops"), "burstIOPS", qos.get("burst_iops"));
            Map<String, Object> wanted = Map.of("name", identity, "accountID", account, "totalSize", size, "enable512e", true, "qos", limits);
            Object made = insist(() -> call("CreateVolume", wanted), () -> lun(identity)).get("volumeID");
            Map<String, Object> row = first(ask("ListVolumes", Map.of("volumeIDs", List.of(made))).get("volumes"), "volumeID", made);
            Map<String, Object> volume = new LinkedHashMap<>(Map.of("id", identity, "target", row.get("iqn"), "lun", made));
            for (String name : List.of("account", "name", "size_bytes", "qos")) volume.put(name, request.get(name));
            volumes.put(identity, volume);
            keep();
        }
        return object(volumes.get(identity));
    }

    /** Find the array's volume of this name. */
    private Map<String, Object> lun(String name) throws Refused, Unanswered {
        return first(call("ListVolumes", Map.of("volumeName", name, "volumeStatus", "active")).get("volumes"), "name", name);
    }

    @Override
    public List<Map<String, Object>> listVolumes(String account) {
        List<Map<String, Object>> found = new ArrayList<>();
        for (Object row : volumes.values()) if (fits(object(row), "account", account)) found.add(object(row));
        return found;
    }

    @Override
    public void deleteVolume(String operation, String volume) {
        end("DeleteVolume", Map.of("volumeID", known(volumes, volume).get("lun")));
        volumes.remove(volume);
        keep();
    }

    @Override
    public Map<String, Object> takeSnapshot(Map<String, Object> request) {
        String identity = identityOf("snapshot", (String) request.get("operation"));
        if (!snapshots.containsKey(identity)) {
            Map<String, Object> row = begun(identity, request);
            snapshots.put(identity, row);
            keep();
            Object lun = object(volumes.get((String) row.get("volume"))).get("lun");
            try {
                Map<String, Object> wanted = Map.of("volumeID", lun, "name", identity);
                Map<String, Object> made = insist(() -> object(call("CreateSnapshot", wanted).get("snapshot")), () -> copy(lun, identity));
                check(made, lun, identity);
                row.put("copies", List.of(Map.of("location", "PRIMARY", "reference", "SfSnapshotId=" + made.get("snapshotID"),
                    "physical_size_bytes", row.get("size_bytes"))));
                row.put("state", "BackedUp");
            } catch (SnapproofShim.Problem problem) {
                Map<String, Object> stray = insist(() -> copy(lun, identity), () -> null);
                if (stray != null) end("DeleteSnapshot", Map.of("snapshotID", stray.get("snapshotID")));
                throw problem;
            } finally {
                keep();
            }
        }
        return object(snapshots.get(identity));
    }

    /** Refuse what cannot be done before anything is begun; else write down what is meant. */
    private Map<String, Object> begun(String identity, Map<String, Object> request) {
        String written = (String) request.get("location");
        String location = PLACES.get(written == null ? "primary" : written.strip().toLowerCase(Locale.ROOT));
        String name = (String) request.get("name");
        if (location == null) throw problem("invalid-request", "A location is PRIMARY or SECONDARY.");
        if ("VMware".equals(site.get("hypervisor_type"))) {
            throw problem("invalid-request", "This driver takes no snapshots for VMware hosts.");
        }
        if (name.codePointCount(0, name.length()) > NAME_CHARACTERS_MAX) {
            throw problem("invalid-request", "A name has at most " + NAME_CHARACTERS_MAX + " characters.");
        }
        Map<String, Object> volume = object(volumes.get((String) request.get("volume")));
        if (volume == null) throw problem("invalid-request", "There is no volume " + request.get("volume") + ".");
        if (request.get("quiesce") == Boolean.TRUE) throw problem("not-supported", "This driver cannot quiesce guests.");
        if (location.equals("SECONDARY")) throw problem("not-supported", "This driver keeps snapshots on the array only.");
        Map<String, Object> row = new LinkedHashMap<>(Map.of("id", identity, "name", name, "location", location, "state", "Error"));
        row.put("copies", List.of());
        row.putAll(Map.of("account", volume.get("account"), "volume", volume.get("id"), "size_bytes", volume.get("size_bytes")));
        return row;
    }

    /** Believe the array only if it speaks of what was asked for. */
    private static void check(Map<String, Object> made, Object lun, String name) {
        if (!lun.equals(made.get("volumeID")) || !name.equals(made.get("name"))) {
            throw problem("backend", "The array spoke of another snapshot than " + name + ".");
        }
    }

    /** Find the array's snapshot of this name. */
    private Map<String, Object> copy(Object lun, String name) throws Refused, Unanswered {
        return first(call("ListSnapshots", Map.of("volumeID", lun)).get("snapshots"), "name", name);
    }

    @Override
    public List<Map<String, Object>> listSnapshots(String account, String volume, String location) {
        List<Map<String, Object>> found = new ArrayList<>();
        for (Object each : snapshots.values()) {
            Map<String, Object> row = object(each);
            if (fits(row, "account", account) && fits(row, "volume", volume) && fits(row, "location", location)) found.add(row);
        }
        return found;
    }

    @Override
    public void deleteSnapshot(String operation, String snapshot) {
        for (Map<String, Object> copy : SnapproofShim.objects(known(snapshots, snapshot).get("copies"))) {
            end("DeleteSnapshot", Map.of("snapshotID", Long.valueOf(((String) copy.get("reference")).split("=")[1])));
        }
        snapshots.remove(snapshot);
        keep();
    }

    @Override
    public Map<String, Object> resourceCounts(String account) {
        List<Map<String, Object>> done = listSnapshots(account, null, null);
        done.removeIf(row -> !row.get("state").equals("BackedUp"));
        long used = 0;
        for (Map<String, Object> row : done) used += (Long) row.get("size_bytes");
        for (Map<String, Object> row : listVolumes(account)) used += (Long) row.get("size_bytes");
        return Map.of("snapshots", done.size(), "secondary_storage_bytes", 0, "primary_storage_bytes", used);
    }

    @Override
    public Map<String, Object> describe() {
        return Map.of("name", "example-java", "version", "1.0", "capabilities", List.of("snapshot-primary", "accounting"));
    }

    /** Name a thing by the operation that makes it: sent twice, it is one thing, in our list and on the array. */
    private static String identityOf(String kind, String operation) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(operation.getBytes(StandardCharsets.UTF_8));
            return kind + "-" + HexFormat.of().formatHex(digest).substring(0, 24);
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private static Map<String, Object> known(Map<String, Object> rows, String identity) {
        if (!rows.containsKey(identity)) throw problem("not-found", "There is no " + identity + ".");
        return object(rows.get(identity));
    }

    private static boolean fits(Map<String, Object> row, String member, String wanted) {
        return wanted == null || wanted.equals(row.get(member));
    }

    /** The first of the array's rows whose member is this, if there is one. */
    private static Map<String, Object> first(Object rows, String member, Object wanted) {
        for (Map<String, Object> row : SnapproofShim.objects(rows)) if (Objects.equals(row.get(member), wanted)) return row;
        return null;
    }

    private static Map<String, Object> object(Object value) { return SnapproofShim.object(value); }

    private static SnapproofShim.Problem problem(String kind, String detail) { return new SnapproofShim.Problem(kind, detail); }

    public static void main(String[] arguments) throws IOException {
        SnapproofShim.serve(Driver::new);
    }
}
