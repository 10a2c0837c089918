import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.function.Function;

/**
 * What stands between snapproof and a driver in Java: the contract of docs/driver-contract.md as an interface, the HTTP
 * server that speaks it, and as much of JSON as it takes. The JDK alone; copy it beside your driver and change nothing.
 *
 * <p>Implement {@link Verbs} over whatever you have (in CloudStack, a PrimaryDataStoreDriver and the data objects that it
 * wants) and call {@link #serve}. A JSON object is a Map, a list a List, a number a Long or a Double. Whatever you throw
 * beside a {@link Problem} ends the exchange without an answer, as a bug should.
 */
public final class SnapproofShim {
    private SnapproofShim() {}

    /** What a driver does. Each verb gets the body of its message; what it need not do, it refuses by itself. */
    public interface Verbs {
        /** Who you are: name, version, and what you can do. */
        Map<String, Object> describe();

        /** PrimaryDataStoreDriver.createAsync of a volume, and what makes it reachable: id, target (the IQN) and the rest. */
        default Map<String, Object> createVolume(Map<String, Object> request) { throw unserved("create-volume"); }

        /** PrimaryDataStoreDriver.deleteAsync of a volume. */
        default void deleteVolume(String operation, String volume) { throw unserved("delete-volume"); }

        default List<Map<String, Object>> listVolumes(String account) { throw unserved("list-volumes"); }

        /** PrimaryDataStoreDriver.takeSnapshot, and the strategy's backup where SECONDARY is asked for. */
        default Map<String, Object> takeSnapshot(Map<String, Object> request) { throw unserved("take-snapshot"); }

        default Map<String, Object> archiveSnapshot(String operation, String snapshot) { throw unserved("archive-snapshot"); }

        default List<Map<String, Object>> listSnapshots(String account, String volume, String location) {
            throw unserved("list-snapshots");
        }

        /** PrimaryDataStoreDriver.deleteAsync of a snapshot. */
        default void deleteSnapshot(String operation, String snapshot) { throw unserved("delete-snapshot"); }

        /** PrimaryDataStoreDriver.revertSnapshot. */
        default Map<String, Object> revertVolume(String operation, String snapshot, boolean keepPresent) {
            throw unserved("revert-volume");
        }

        /** PrimaryDataStoreDriver.resize. */
        default Map<String, Object> resizeVolume(String operation, String volume, long sizeBytes) {
            throw unserved("resize-volume");
        }

        default Map<String, Object> resourceCounts(String account) { throw unserved("resource-counts"); }

        /** Finish or take back what an earlier life left unfinished. */
        default void reconcile() {}

        /** Let go of connections and files. */
        default void close() {}

        /** Every verb that has no method here; `verb` is as in its path, `asked` its message. */
        default Object other(String verb, Map<String, Object> asked) { throw unserved(verb); }
    }

    /** A refusal by one of the contract's kinds. */
    public static final class Problem extends RuntimeException {
        private static final Map<String, Integer> STATUS = Map.of("invalid-request", 400, "denied", 403, "not-found", 404,
            "conflict", 409, "cancelled", 410, "limit-exceeded", 422, "not-supported", 501, "backend", 502, "unavailable", 503,
            "failed", 500);
        public final String kind;

        public Problem(String kind, String detail) {
            super(detail);
            this.kind = kind;
        }
    }

    private static Problem unserved(String verb) { return new Problem("not-supported", "This driver has no verb " + verb + "."); }

    /** Serve the drivers that `begin` makes, one life at a time and one verb at a time, and say where. */
    public static void serve(Function<Map<String, Object>, Verbs> begin) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        Verbs[] life = new Verbs[1];
        server.createContext("/v1/", exchange -> {
            String verb = exchange.getRequestURI().getPath().substring("/v1/".length());
            try {
                Map<String, Object> asked = object(Json.read(read(exchange)));
                if (verb.equals("begin")) {
                    life[0] = begin.apply(asked);
                    say(exchange, 200, "application/json", null);
                } else {
                    say(exchange, 200, "application/json", perform(life[0], verb, asked));
                }
            } catch (Problem problem) {
                refuse(exchange, problem.kind, problem.getMessage());
            } catch (RuntimeException bug) {
                bug.printStackTrace();
                refuse(exchange, "failed", verb + " ended in " + bug.getClass().getName() + ".");
            }
        });
        server.setExecutor(Executors.newSingleThreadExecutor());
        server.start();
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        out.println("{\"ready\": \"http://127.0.0.1:" + server.getAddress().getPort() + "\", \"contract\": \"1.0\"}");
    }

    private static Object perform(Verbs life, String verb, Map<String, Object> asked) {
        Function<String, String> word = name -> (String) asked.get(name);
        switch (verb) {
            case "describe": return life.describe();
            case "create-volume": return life.createVolume(object(asked.get("request")));
            case "list-volumes": return life.listVolumes(word.apply("account"));
            case "take-snapshot": return life.takeSnapshot(object(asked.get("request")));
            case "archive-snapshot": return life.archiveSnapshot(word.apply("operation"), word.apply("snapshot"));
            case "list-snapshots":
                return life.listSnapshots(word.apply("account"), word.apply("volume"), word.apply("location"));
            case "revert-volume":
                return life.revertVolume(word.apply("operation"), word.apply("snapshot"), asked.get("keep_present") == Boolean.TRUE);
            case "resize-volume":
                return life.resizeVolume(word.apply("operation"), word.apply("volume"), (Long) asked.get("size_bytes"));
            case "resource-counts": return life.resourceCounts(word.apply("account"));
            case "delete-volume": life.deleteVolume(word.apply("operation"), word.apply("volume")); return null;
            case "delete-snapshot": life.deleteSnapshot(word.apply("operation"), word.apply("snapshot")); return null;
            case "reconcile": life.reconcile(); return null;
            case "close": life.close(); return null;
            default: return life.other(verb, asked);
        }
    }

    private static String read(HttpExchange exchange) throws IOException {
        return new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    }

    private static void say(HttpExchange exchange, int status, String kind, Object answer) throws IOException {
        byte[] body = Json.write(answer).getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("content-type", kind);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private static void refuse(HttpExchange exchange, String kind, String detail) throws IOException {
        int status = Problem.STATUS.get(kind);
        say(exchange, status, "application/problem+json", Map.of("type", "urn:snapproof:problem:" + kind,
            "title", kind, "status", status, "detail", detail));
    }

    /** Read a JSON value as the object that it is to be. */
    @SuppressWarnings("unchecked")
    public static Map<String, Object> object(Object value) { return (Map<String, Object>) value; }

    /** Read a JSON value as a list of objects. */
    @SuppressWarnings("unchecked")
    public static List<Map<String, Object>> objects(Object value) { return (List<Map<String, Object>>) value; }

    /** JSON, both ways. */
    public static final class Json {
        private final String text;
        private int at;

        private Json(String text) { this.text = text; }

        /** Read one value. Throws IllegalArgumentException for what is none. */
        public static Object read(String text) {
            Json json = new Json(text);
            try {
                Object value = json.value();
                if (json.next() != 0) throw new IllegalArgumentException("There is more than one value.");
                return value;
            } catch (StringIndexOutOfBoundsException cut) {
                throw new IllegalArgumentException("The text ends too early.", cut);
            }
        }

        /** The next character that is no blank, or 0 at the end. It is not consumed. */
        private char next() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
            return at < text.length() ? text.charAt(at) : 0;
        }

        private void expect(String word) {
            next();
            if (!text.startsWith(word, at)) throw new IllegalArgumentException("No " + word + " at " + at + ".");
            at += word.length();
        }

        private boolean more(char end) {
            if (next() != ',') { expect(String.valueOf(end)); return false; }
            at++;
            return true;
        }

        private Object value() {
            switch (next()) {
                case '{': return members();
                case '[': return elements();
                case '"': return string();
                case 't': expect("true"); return true;
                case 'f': expect("false"); return false;
                case 'n': expect("null"); return null;
                default: return number();
            }
        }

        private Map<String, Object> members() {
            Map<String, Object> found = new LinkedHashMap<>();
            expect("{");
            if (next() == '}') { at++; return found; }
            do {
                next();
                String name = string();
                expect(":");
                found.put(name, value());
            } while (more('}'));
            return found;
        }

        private List<Object> elements() {
            List<Object> found = new ArrayList<>();
            expect("[");
            if (next() == ']') { at++; return found; }
            do found.add(value()); while (more(']'));
            return found;
        }

        private Object number() {
            int from = at;
            while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
            String written = text.substring(from, at);
            return written.matches("-?[0-9]{1,18}") ? (Object) Long.valueOf(written) : (Object) Double.valueOf(written);
        }

        private String string() {
            StringBuilder found = new StringBuilder();
            expect("\"");
            for (char c = text.charAt(at++); c != '"'; c = text.charAt(at++)) {
                if (c != '\\') { found.append(c); continue; }
                char escaped = text.charAt(at++);
                int place = "bfnrt".indexOf(escaped);
                if (escaped == 'u') {
                    found.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                    at += 4;
                } else {
                    found.append(place < 0 ? escaped : "\b\f\n\r\t".charAt(place));
                }
            }
            return found.toString();
        }

        /** Write one value: a Map, a List, a text, a number, a truth or null. */
        public static String write(Object value) {
            if (value instanceof Map) {
                List<String> members = new ArrayList<>();
                ((Map<?, ?>) value).forEach((name, member) -> members.add(write(name) + ":" + write(member)));
                return "{" + String.join(",", members) + "}";
            }
            if (value instanceof List) {
                List<String> elements = new ArrayList<>();
                ((List<?>) value).forEach(element -> elements.add(write(element)));
                return "[" + String.join(",", elements) + "]";
            }
            if (!(value instanceof String)) return String.valueOf(value);
            StringBuilder written = new StringBuilder("\"");
            for (char c : ((String) value).toCharArray()) {
                if (c == '"' || c == '\\') written.append('\\').append(c);
                else if (c < 0x20 || Character.isSurrogate(c)) written.append(String.format("\\u%04x", (int) c));
                else written.append(c);
            }
            return written.append('"').toString();
        }
    }
}
