package shop;

import java.util.HashMap;
import java.util.Map;

public class Stock {
    private final Map<String, Item> items = new HashMap<>();

    /** Adds to an item, and makes it where it is new. */
    public int put(String code, int count) {
        if (count <= 0) {
            throw new IllegalArgumentException("count is " + count);
        }
        Item item = items.get(code);
        if (item == null) {
            item = new Item(code);
            items.put(code, item);
        }
        return item.add(count);
    }

    public int take(String code, int count) {
        Item item = items.get(code);
        if (item == null || item.add(0) < count) {
            return -1;
        }
        return item.add(-count);
    }
}
