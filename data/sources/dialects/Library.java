package lending;

import java.util.*;
import java.util.function.Function;
import static java.lang.Math.max;
import static java.util.Map.Entry.*;

/** Lends things. */
public abstract class Library<T extends Comparable<T>> implements Iterable<T> {
    public static final int MAX_DAYS = 14;
    protected final List<T> items = new ArrayList<>();
    private volatile int open;

    /** What a library does. */
    interface Lender { boolean lend(String name); default int days() { return max(MAX_DAYS, 3); } }
    enum Level { LOW, HIGH { @Override int price() { return 3; } }; int price() { return 1; } }
    record Label(String text, int length) { Label { Objects.requireNonNull(text); } }
    @interface Checked { int value() default 1; }
    private static class Shelf { private int count() { return 1; } }

    protected Library(Collection<? extends T> first) { items.addAll(first); }

    @Override
    public Iterator<T> iterator() { return items.stream().map(Function.identity()).iterator(); }

    @Deprecated
    static synchronized <K> int find(List<K> keys, K key) throws IllegalStateException {
        for (int i = 0; i < keys.size(); i++) {
            if (keys.get(i).equals(key) && key != null) return i;
        }
        try {
            while (keys.isEmpty()) keys.add(key);
        } catch (RuntimeException late) {
            System.err.println("étagère: \"" + late + "\"");
        }
        Runnable run = () -> System.out.println(keys);
        run.run();
        return new Shelf().count() > 0 ? -1 : keys.hashCode();
    }

    abstract int price(Level level);
}
