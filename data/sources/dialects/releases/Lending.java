package shop.lending;

import java.util.*;
import java.util.List;
import static java.lang.Math.max;
import static java.util.Map.*;

@FunctionalInterface
public interface Lender<T> extends Base {
    int LIMIT = 3;
    T lend(int days) throws IllegalStateException;
    default void close() { log("close"); }
    private void hidden() {}
    static Lender<?> none() { return null; }
}

@interface Audited { String by() default "desk"; int[] levels() default {}; }

enum State implements HasText {
    OPEN("o") { @Override String text() { return up("open"); } },
    CLOSED("c");
    private final String text;
    State(String text) { this.text = text; }
    String text() { return text; }
}

record Loan(String title, int days) implements Comparable<Loan> {
    static int made = count();
    Loan { if (days < 0) throw new IllegalArgumentException(); }
    Loan(String title) { this(title, 1); }
    public int compareTo(Loan other) { return Integer.compare(days, other.days); }
}

sealed interface Event permits Lent, Ended {}
final class Lent implements Event {}
non-sealed class Ended implements Event {}

@Audited(by = "desk")
public abstract class Desk<T extends Loan> extends Base<T> implements Lender<T> {
    private final Map<String, List<T>> loans = new HashMap<>();
    static { register(); }
    { warm(); }

    protected Desk(Clock clock) { super(clock); start(clock); }

    @Override @Audited
    public synchronized T lend(int days) {
        if (days > LIMIT && loans.size() > 0 || days == 0) throw new IllegalStateException("no");
        for (int i = 0; i < 3; i++) this.step(i);
        for (T loan : loans.get("a")) loan.check();
        while (days > 3) days--;
        do { days++; } while (days < 3);
        switch (days) {
            case 0: zero(); break;
            case 1:
            case 2: two(); break;
            default: other();
        }
        String text = switch (days) {
            case 0 -> "none";
            case 1, 2 -> few();
            default -> { log("many"); yield "many"; }
        };
        try (var in = open()) { in.read(); } catch (IOException | RuntimeException e) { e.printStackTrace(); } finally { end(); }
        Function<Integer, Integer> twice = x -> twice(x);
        Supplier<T> maker = this::make;
        Runnable task = new Runnable() { public void run() { go(); } };
        class Local { void inner() { deep(); } }
        int[] numbers = new int[size()];
        Object o = days > 1 ? new Outer.Inner() : shelf.new Slip();
        if (o instanceof Loan(String title, int d) && d > 1) use(title);
        assert check(days);
        super.close();
        return Desk.<T>pick(loans).first().get(0);
    }

    abstract void hook();
    static <U> U create(Class<U> type) { return type.cast(null); }
    protected native int size();
    class Slip { private void print() { System.out.println(text); } }
    static class Nested {}
}
