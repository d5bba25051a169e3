package lending.books;

import java.util.*;
import static java.lang.Math.max;

public class Loan extends Shelf implements Lender {
    public static final int MAX_DAYS = 14;
    private final List<String> names = new ArrayList<>();

    enum Level { LOW, HIGH }
    interface Visitor<T> { void visit(T thing); }
    record Label(String text) {}

    public Loan(String name) {
        super(name);
        this.names.add(name);
    }

    @Override
    protected int price(int days) throws Late {
        for (String name : names) {
            if (days > MAX_DAYS || name.isEmpty()) throw new Late();
        }
        return days > 2 ? max(days, 3) : switch (days) { case 1 -> 2; default -> 0; };
    }
}
