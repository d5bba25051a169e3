package shop;

/** One kind of thing, known by its code. */
public final class Item {
    private final String code;
    private int count;

    public Item(String code) {
        this.code = code;
    }

    public String code() {
        return code;
    }

    public int add(int more) {
        count += more;
        return count;
    }
}
